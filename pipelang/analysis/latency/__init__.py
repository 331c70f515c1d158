"""The cost and the duration of runs as distributions: quantiles, means and worst cases.

A mean needs no distribution, a quantile does. The time of a run is a sum over its attempts where
they follow one another, and a maximum where they run side by side. So the weights here are not
numbers but whole distributions, and the kernels that turn chains, votes, lists and sub-pipelines
into probabilities are evaluated with them (`walk`).

Sums. A distribution over a lattice of amounts (`frontier.lattice`) is represented by its
z-transform, at points of a circle slightly smaller than the unit circle. Sums of independent
amounts are products of transforms, mixtures are sums, so the walk still only multiplies and adds.
Mass beyond the lattice's end is damped instead of wrapping around, so a lattice may be as short as
the quantile that it is for.

States differ in how likely they are more than in what they took. So a walk with numbers for
parameters only writes distributions down (`frontier.mixtures`), which are worked out afterwards,
lattice by lattice (`spectra`, `written`), in plain lists or with numpy. Parameters that are rows go
along with a walk as arrays, in which several lattices stand side by side (`frontier.meter`): one
for every measure (dollars, machine time, time with people) and scale.

Maxima. Given the values drawn, the steps of a region take independent times, so the distribution
function of the maximum is a product (`aside` of both meters). A region is decomposed into series
and parallel parts (`regions`); within a parallel part every state keeps a distribution of its own,
so nothing that shares a draw is treated as independent. Where the order of the steps is not
series-parallel, a step waits for more than it would: an upper bound, reported as one.

Means are exact sums, except those of maxima, which are integrated on the lattices. Quantiles are
read off twice: coarsely over all magnitudes, then on lattices that end just above what was found
(`quantiles`). An undeclared latency is never
guessed: it lies between zero and the timeout, or is unbounded without one, and so are the figures.
"""
