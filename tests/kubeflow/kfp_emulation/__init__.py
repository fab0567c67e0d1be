"""A strict stand-in for open-source Kubeflow Pipelines 2, from its documented behaviour and its sources' (2.0 to 2.15).

`api_server` accepts or refuses a package and a run, `driver` resolves what a task gets, `launcher` runs the task's own
command as a process of its own between a bucket and local folders that vanish, and `run` puts them together.
"""
