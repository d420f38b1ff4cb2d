// One training step written by hand for one kind of network: what the machine can do.
//
//     x_t = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t)       r_t = max(x_t, 0)
//     S_t = alpha D_{t+1} Wrec          D_t = (dl/dr_t + S_t) f'(x_t) + (1 - alpha) D_{t+1}
//     q_t = (1 - alpha) ((1 - alpha) D_{t+1} + S_t f'(x_t))              Omega as in objective.py
//
// Dale's law by rectification, one plasticity mask (Wrec's), scalar alpha, no trained biases; linear,
// sigmoid or softmax outputs. S serves the backward pass and Omega; u Win^T, the readout and every
// weight gradient are one product over all steps. Row-major, float32, (time, trial, unit). All
// products are BLAS; memory is allocated once. With `merged` the gradients of the loss and of Omega by
// Wrec, which have a factor in common, are one product:
//
//     sum_t (alpha D_{t+1})^T (r_t + lambda_Omega (1 - alpha) factor_t q_t f'(x_t))

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

using Int = BLAS_INT;
using Sgemm = void (*)(const char *, const char *, const Int *, const Int *, const Int *,
                       const float *, const float *, const Int *, const float *, const Int *,
                       const float *, float *, const Int *);

enum Output : int32_t { LINEAR = 0, SIGMOID = 1, SOFTMAX = 2 };

struct Network {
    int32_t T, B, Nin, N, Nout, output, merged;
    float alpha, lambda_Omega, bound, max_gradient_norm, learning_rate;
    const float *ei;       // (N)
    const float *plastic;  // (N, N), 1 where Wrec is trained
};

namespace {

constexpr float EPSILON = 1e-10f;  // inside the logarithms

struct Workspace {
    std::vector<float> Win, Wrec, WrecT, WinT, Wout, WoutT, x, r, S, D, a, g, left, right, r0;
    std::vector<float> num, den, factor, gWin, gWrec, gWout, gx0;
};

Sgemm blas;

// C (m, n) <- scale op(A) op(B) + keep C, all row-major; op(A) is (m, k), op(B) is (k, n)
void product(bool At, bool Bt, Int m, Int n, Int k, float scale, const float *A, const float *B,
             float keep, float *C) {
    const Int lda = At ? m : k, ldb = Bt ? k : n;
    blas(Bt ? "T" : "N", At ? "T" : "N", &n, &m, &k, &scale, B, &ldb, A, &lda, &keep, C, &n);
}

void transpose(const float *A, int m, int n, float *At) {
    for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) At[(size_t)j * m + i] = A[(size_t)i * n + j];
}

// a (trial, Nout) of one time step -> its z in place, its share of the loss; g <- d loss / d a
double outputs_and_gradient(const Network &net, int n_rows, float *a, const float *target,
                            const float *mask, double total, float *g) {
    const int K = net.Nout;
    double loss = 0;
    const float share = static_cast<float>(1 / total);
    for (int i = 0; i < n_rows; ++i) {
        float *a_i = a + (size_t)i * K, *g_i = g + (size_t)i * K;
        const float *y = target + (size_t)i * K, *w = mask + (size_t)i * K;
        if (net.output == SOFTMAX) {
            float largest = a_i[0], sum = 0, back = 0;
            for (int k = 1; k < K; ++k) largest = std::fmax(largest, a_i[k]);
            for (int k = 0; k < K; ++k) sum += a_i[k] = std::exp(a_i[k] - largest);
            for (int k = 0; k < K; ++k) a_i[k] /= sum;
            for (int k = 0; k < K; ++k) {
                const float z = a_i[k];
                if (w[k] != 0 && y[k] != 0) loss -= w[k] * y[k] * std::log(z + EPSILON);
                g_i[k] = -share * w[k] * y[k] / (z + EPSILON);
                back += g_i[k] * z;
            }
            for (int k = 0; k < K; ++k) g_i[k] = a_i[k] * (g_i[k] - back);
        } else if (net.output == SIGMOID) {
            for (int k = 0; k < K; ++k) {
                const float e = std::exp(-std::fabs(a_i[k]));
                const float z = (a_i[k] >= 0 ? 1 : e) / (1 + e);
                const float softplus = std::fmax(a_i[k], 0.0f) + std::log1p(e);
                loss += w[k] * (-y[k] * std::log(z + EPSILON) + (1 - y[k]) * softplus);
                g_i[k] = share * w[k] * z * (1 - z)
                         * ((1 - y[k]) / (1 - z + EPSILON) - y[k] / (z + EPSILON));
                a_i[k] = z;
            }
        } else {
            for (int k = 0; k < K; ++k) {
                const float miss = a_i[k] - y[k];
                loss += w[k] * miss * miss;
                g_i[k] = 2 * share * w[k] * miss;
            }
        }
    }
    return loss;
}

double squared(const std::vector<float> &v) {
    double sum = 0;
    for (size_t start = 0; start < v.size(); start += 1024) {
        float part = 0;
        const size_t end = std::min(v.size(), start + 1024);
        for (size_t i = start; i < end; ++i) part += v[i] * v[i];
        sum += part;
    }
    return sum;
}

}  // namespace

extern "C" void *workspace(const Network *net_, void *sgemm) {
    const Network &net = *net_;
    blas = reinterpret_cast<Sgemm>(sgemm);
    auto *w = new Workspace;
    const size_t B = net.B, N = net.N, TB = (size_t)net.T * B, TBN = TB * N;
    for (auto *v : {&w->x, &w->r, &w->S, &w->D, &w->right}) v->resize(TBN);
    for (auto *v : {&w->Wrec, &w->WrecT, &w->gWrec}) v->resize(N * N);
    for (auto *v : {&w->Win, &w->WinT, &w->gWin}) v->resize(N * net.Nin);
    for (auto *v : {&w->Wout, &w->WoutT, &w->gWout}) v->resize(N * net.Nout);
    for (auto *v : {&w->a, &w->g}) v->resize(TB * net.Nout);
    for (auto *v : {&w->num, &w->den, &w->factor}) v->resize(TB);
    for (auto *v : {&w->gx0, &w->left}) v->resize(N);
    w->r0.resize(B * N);
    return w;
}

extern "C" void release(void *workspace_) { delete static_cast<Workspace *>(workspace_); }

// Trains Win (N, Nin), Wrec (N, N), Wout (Nout, N), x0 (N) in place;
// report <- loss, gradient norm before clipping, Omega, nelems
extern "C" void step(const Network *net_, void *workspace_, float *Win, float *Wrec, float *Wout,
                     float *x0, const float *brec, const float *bout, const float *u,
                     const float *target, const float *mask, const float *noise, double *report) {
    const Network &net = *net_;
    Workspace &w = *static_cast<Workspace *>(workspace_);
    const int T = net.T, B = net.B, N = net.N, Nin = net.Nin, Nout = net.Nout, TB = T * B;
    const size_t BN = (size_t)B * N;
    const float alpha = net.alpha, leak = 1 - alpha;
    const float *ei = net.ei;

    // effective weights
    for (int i = 0; i < N * Nin; ++i) w.Win[i] = std::fmax(Win[i], 0.0f);
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            const size_t ij = (size_t)i * N + j;
            w.Wrec[ij] = std::fmax(net.plastic[ij] * Wrec[ij], 0.0f) * ei[j];
        }
    for (int i = 0; i < Nout; ++i)
        for (int j = 0; j < N; ++j)
            w.Wout[i * N + j] = std::fmax(Wout[i * N + j], 0.0f) * ei[j];
    transpose(w.Wrec.data(), N, N, w.WrecT.data());
    transpose(w.Win.data(), N, Nin, w.WinT.data());
    transpose(w.Wout.data(), Nout, N, w.WoutT.data());

    // forward: x holds the drive until its step comes
    for (int i = 0; i < TB; ++i) {
        float *x_i = &w.x[(size_t)i * N];
        const float *noise_i = noise + (size_t)i * N;
        for (int j = 0; j < N; ++j) x_i[j] = noise_i[j] + brec[j];
    }
    product(false, false, TB, N, Nin, 1, u, w.WinT.data(), 1, w.x.data());
    for (int b = 0; b < B; ++b)
        for (int j = 0; j < N; ++j) w.r0[b * N + j] = std::fmax(x0[j], 0.0f);
    for (int t = 0; t < T; ++t) {
        float *x = &w.x[t * BN], *r = &w.r[t * BN];
        const float *r_before = t ? r - BN : w.r0.data();
        product(false, false, B, N, N, 1, r_before, w.WrecT.data(), 1, x);
        if (t == 0) {
            for (int b = 0; b < B; ++b)
                for (int j = 0; j < N; ++j) {
                    float &x_j = x[(size_t)b * N + j];
                    x_j = leak * x0[j] + alpha * x_j;
                    r[(size_t)b * N + j] = std::fmax(x_j, 0.0f);
                }
        } else {
            const float *x_before = x - BN;
            for (size_t i = 0; i < BN; ++i) {
                x[i] = leak * x_before[i] + alpha * x[i];
                r[i] = std::fmax(x[i], 0.0f);
            }
        }
    }

    // readout, loss, and the gradient by the rates
    for (int i = 0; i < TB; ++i) std::memcpy(&w.a[(size_t)i * Nout], bout, Nout * sizeof(float));
    product(false, false, TB, Nout, N, 1, w.r.data(), w.WoutT.data(), 1, w.a.data());
    double total = 0;
    for (size_t start = 0; start < (size_t)TB * Nout; start += 1024) {
        float part = 0;
        const size_t end = std::min((size_t)TB * Nout, start + 1024);
        for (size_t i = start; i < end; ++i) part += mask[i];
        total += part;
    }
    const double loss = outputs_and_gradient(net, TB, w.a.data(), target, mask, total, w.g.data());
    product(false, false, TB, N, Nout, 1, w.g.data(), w.Wout.data(), 0, w.D.data());
    product(true, false, Nout, N, TB, 1, w.g.data(), w.r.data(), 0, w.gWout.data());

    // backward: D holds dl/dr_t until its step comes; num and den of Omega while D is in the cache
    for (size_t i = 0; i < BN; ++i) {
        const float x = w.x[(T - 1) * BN + i];
        w.D[(T - 1) * BN + i] *= x > 0 ? 1.0f : x == 0 ? 0.5f : 0.0f;
    }
    int64_t n_counting = 0;
    double sum_Omega = 0;
    for (int t = T - 2; t >= 0; --t) {
        float *S = &w.S[t * BN], *D = &w.D[t * BN];
        const float *D_after = D + BN, *x = &w.x[t * BN];
        product(false, false, B, N, N, alpha, D_after, w.Wrec.data(), 0, S);
        for (int b = 0; b < B; ++b) {
            const size_t row = (size_t)b * N;
            float num = 0, den = 0;
            float *q = &w.right[t * BN + row];
            for (int j = 0; j < N; ++j) {
                const float x_j = x[row + j], open = x_j > 0 ? 1.0f : 0.0f;
                const float slope = x_j == 0 ? 0.5f : open;
                const float d = leak * D_after[row + j];
                const float q_j = leak * (d + S[row + j] * open);
                D[row + j] = (D[row + j] + S[row + j]) * slope + d;
                num += q_j * q_j;
                den += d * d;
                q[j] = q_j * open;
            }
            const bool counts = den >= net.bound;
            const float miss = counts ? num / den - 1 : 0;
            w.factor[(size_t)t * B + b] = counts ? 4 * miss / den : 0;
            n_counting += counts;
            sum_Omega += miss * miss;
        }
    }

    // weight gradients
    std::fill(w.left.begin(), w.left.end(), 0.0f);  // D_1 summed over trials
    for (int b = 0; b < B; ++b)
        for (int j = 0; j < N; ++j) w.left[j] += w.D[(size_t)b * N + j];
    const bool regularised = n_counting > 0 && net.lambda_Omega != 0;
    if (regularised) {
        const float common = net.merged ? net.lambda_Omega * leak / n_counting : 1.0f / n_counting;
        for (int i = 0; i < TB - B; ++i) {
            const float factor = w.factor[i] * common;
            float *q = &w.right[(size_t)i * N];
            const float *r = &w.r[(size_t)i * N];
            if (net.merged)
                for (int j = 0; j < N; ++j) q[j] = r[j] + factor * q[j];
            else
                for (int j = 0; j < N; ++j) q[j] *= factor;
        }
    }
    const bool one_product = regularised && net.merged;
    product(true, false, N, N, TB - B, alpha, w.D.data() + BN,
            one_product ? w.right.data() : w.r.data(), 0, w.gWrec.data());
    if (regularised && !net.merged)
        product(true, false, N, N, TB - B, net.lambda_Omega * alpha * leak, w.D.data() + BN,
                w.right.data(), 1, w.gWrec.data());
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j)
            w.gWrec[(size_t)i * N + j] += alpha * w.left[i] * std::fmax(x0[j], 0.0f);
    product(true, false, N, Nin, TB, alpha, w.D.data(), u, 0, w.gWin.data());
    product(false, false, 1, N, N, alpha, w.left.data(), w.Wrec.data(), 0, w.gx0.data());
    for (int j = 0; j < N; ++j) {
        const float slope = x0[j] > 0 ? 1.0f : x0[j] == 0 ? 0.5f : 0.0f;
        w.gx0[j] = w.gx0[j] * slope + leak * w.left[j];
    }
    // back through Dale's law and the mask; clip; update
    for (int i = 0; i < N * Nin; ++i)
        w.gWin[i] *= Win[i] > 0 ? 1.0f : Win[i] == 0 ? 0.5f : 0.0f;
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            const size_t ij = (size_t)i * N + j;
            const float masked = net.plastic[ij] * Wrec[ij];
            w.gWrec[ij] *= net.plastic[ij] * ei[j] * (masked > 0 ? 1.0f : masked == 0 ? 0.5f : 0.0f);
        }
    for (int i = 0; i < Nout; ++i)
        for (int j = 0; j < N; ++j) {
            const float W = Wout[i * N + j];
            w.gWout[i * N + j] *= ei[j] * (W > 0 ? 1.0f : W == 0 ? 0.5f : 0.0f);
        }
    const double gnorm =
        std::sqrt(squared(w.gWin) + squared(w.gWrec) + squared(w.gWout) + squared(w.gx0));
    if (gnorm <= 1e10) {
        const double clip = gnorm > net.max_gradient_norm ? net.max_gradient_norm / gnorm : 1;
        const float rate = static_cast<float>(net.learning_rate * clip);
        for (size_t i = 0; i < w.gWin.size(); ++i) Win[i] -= rate * w.gWin[i];
        for (size_t i = 0; i < w.gWrec.size(); ++i) Wrec[i] -= rate * w.gWrec[i];
        for (size_t i = 0; i < w.gWout.size(); ++i) Wout[i] -= rate * w.gWout[i];
        for (int j = 0; j < N; ++j) x0[j] -= rate * w.gx0[j];
    } else {  // NaN, or an explosion
        for (size_t i = 0; i < w.gWrec.size(); ++i) Wrec[i] -= net.learning_rate * 0.02f * Wrec[i];
    }
    report[0] = loss / total;
    report[1] = gnorm;
    report[2] = sum_Omega / n_counting;
    report[3] = static_cast<double>(n_counting) / TB;
}
