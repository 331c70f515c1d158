"""Pipelines in one line: figures of a few steps in a row, without any file.

    0.95 x 4                          four steps one after the other, each right 95% of the time
    95% x 4 then 98%                  ... and a fifth at 98%
    95% x 4, $0.02 each, 2s each      with what every attempt costs and takes
    95% x 3 fails 5% retry 2          every attempt fails 5% of the time, and is made up to 3 times
    95% fails 5% with fallback 90%    something else answers where all attempts failed
    95% x 4 for 90%                   how right must each be, for 90% in the end?
    95% x 4, $0.02 each, 500/day      a month of it

An option behind a comma holds for every step that has no such option of its own. As everywhere in
pipelang, a step that reads something wrong is wrong, and a retry helps against failures, not
against wrong answers.
"""
