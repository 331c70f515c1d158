"""Options of links: quantities with their units, shares, and the evidence behind them."""
