"""The metrics of a pipeline and everything that reads them off the sweep: objectives, importance,
bounds, differences, queues.
"""
