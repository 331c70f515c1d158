"""How long runs take and how dear they are, as distributions: quantiles, means and the worst.

A mean needs no distribution, a quantile does. What a run takes is a sum over its attempts wherever
things happen one after the other, and a maximum wherever they happen side by side. So weights here
are no numbers but whole distributions, and the same kernels that close chains, votes, lists and
sub-pipelines into probabilities are walked with them (`walk`).

One after the other. A distribution over a lattice of amounts (`lattice`) is taken by its
z-transform, at points of a circle that is a little smaller than the unit circle. Sums of
independent amounts are products of transforms, mixtures are sums: the walk still only multiplies
and adds. What lies beyond the lattice's end is damped away instead of wrapping around, so a lattice
may be as short as the quantile that it is for. Several lattices stand side by side in one array
(`meter`): one for every measure (dollars, machine time, time with people) and scale.

Side by side. Given what was drawn, the steps of a region take independent times, so the
distribution function of the maximum is a product (`joins`). A region is taken apart into what runs
in series and in parallel (`regions`); within a parallel part every state keeps a distribution of
its own, so nothing is taken for independent that shares a draw. Where the order of the steps is not
series-parallel a step is made to wait for more than it would: an upper bound, and said to be one.

Means are exact sums (the transform's derivative at one, carried along beside the lattices), but for
maxima, which are integrated on the lattices. Quantiles are read off a second walk whose lattices
end just above what the first has found (`quantiles`). Nobody's latency is guessed: an undeclared
one lies between nothing and the timeout, or beyond all bounds without one, and so do the figures.
"""
