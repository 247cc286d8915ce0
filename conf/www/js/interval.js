// The interval in which a talk's true average lies with a probability of 95%: that of all who heard it, of whom some
// have rated it. As the ranking of the service has it (src/core/ranking.h), ratings are draws from a distribution over the
// five values of which a Dirichlet distribution says what is known: with n_v ratings of value v, those of the prior and
// the talk's own, and N their sum, the true average has
//
//     mean      m = (1 n_1 + ... + 5 n_5) / N
//     variance    = (n_1 (1-m)^2 + ... + n_5 (5-m)^2) / N / (N + 1)
//
// and is taken as normal. Evan Miller, Ranking Items With Star Ratings (2014). The prior has one rating in all, a fifth of each
// value, and not one of each as the ranking has: this interval is read beside the plain average of a few ratings, and
// is not to be drawn towards 3 (the prior 1/m of J. Berger, J. Bernardo, D. Sun, Overall Objective Priors, Bayesian
// Analysis 10 (2015), 3.2). A Student interval would have no width where all ratings are the same.

const VALUES = [1, 2, 3, 4, 5];
const PRIOR = 1 / VALUES.length;
const QUANTILE = 1.96; // 2.5% of a normal distribution lie beyond it, on either side

// Counts as the API has them, { 1: n, ... 5: n }
export const totalOf = counts => VALUES.reduce((sum, value) => sum + counts[value], 0);

export const averageOf = counts => VALUES.reduce((sum, value) => sum + value * counts[value], 0) / totalOf(counts);

// { low, high }, within 1 and 5
export function intervalOf(counts) {
    const all = totalOf(counts) + 1;
    const mean = VALUES.reduce((sum, value) => sum + value * (counts[value] + PRIOR), 0) / all;
    const squares = VALUES.reduce((sum, value) => sum + (counts[value] + PRIOR) * (value - mean) ** 2, 0);
    const reach = QUANTILE * Math.sqrt(squares / all / (all + 1));
    return { low: Math.max(mean - reach, 1), high: Math.min(mean + reach, 5) };
}
