"""For what was written for the original pycog: `import pycog`, and scripts of Python 2.

    import pycog_dgr
    pycog_dgr.install_as_pycog()     # from here on, `import pycog` finds pycog_dgr
    from pycog import RNN, tasktools

    dgr pycog do.py rdm_fixed run analysis/rdm trials      # the same for a whole script

Model files need neither (pycog_dgr.tasks.model). Which of the original's functions are kept,
renamed or left out stands in `names.TABLE` and in docs/coming-from-pycog.md.

    pycog/      the modules that `import pycog` finds, one for each of the original's
    names       the table of the original's public names
    scripts     running a script, its neighbours translated from Python 2 as they are imported
    mlab        matplotlib.mlab.PCA, which matplotlib no longer has
"""

from pycog_dgr.compat.scripts import install_as_pycog, load_script, run_script, translated

__all__ = ["install_as_pycog", "load_script", "run_script", "translated"]
