//! Distribution of "agents free less people answered": exact (Poisson-binomial) for small floors, normal for
//! large ones. Its inputs are probabilities, not calls or agents.

use crate::pacing::estimate::normal;

/// The distribution of the margin at one moment: agents free by then, less people who answered by then.
#[derive(Clone, Debug)]
pub enum Margin {
    /// `pmf[n]` = P(margin = n - below); once calls are counted, all that is not above zero lies in `pmf[0]`.
    Exact {
        pmf: Vec<f64>,
        below: usize,
        lumped: bool,
    },
    Normal {
        mean: f64,
        variance: f64,
        answers: f64,
        doubt: f64,
    },
}

impl Margin {
    /// `surplus`: idle agents less people waiting.
    pub fn exact(surplus: i64) -> Self {
        let below = (-surplus).max(0) as usize;
        let mut pmf = vec![0.0; (surplus.max(0)) as usize + 1];
        if let Some(last) = pmf.last_mut() {
            *last = 1.0;
        }
        if surplus < 0 {
            return Margin::Exact { pmf: vec![1.0], below, lumped: false };
        }
        Margin::Exact { pmf, below, lumped: false }
    }

    /// `doubt`: standard deviation of the logarithm of the answer rate, common to all calls.
    pub fn normal(surplus: i64, doubt: f64) -> Self {
        Margin::Normal { mean: surplus as f64, variance: 0.0, answers: 0.0, doubt }
    }

    /// Adds a busy agent who is free by then with this probability. Agents are added before calls.
    pub fn add_agent(&mut self, chance: f64) {
        match self {
            Margin::Exact { pmf, lumped, .. } => {
                debug_assert!(!*lumped, "agents are counted before calls");
                if chance < 1e-6 {
                    return;
                }
                let mut carried = 0.0;
                for value in pmf.iter_mut() {
                    let own = *value;
                    *value = own * (1.0 - chance) + carried * chance;
                    carried = own;
                }
                if carried * chance > 1e-12 {
                    pmf.push(carried * chance);
                }
            }
            Margin::Normal { mean, variance, .. } => {
                *mean += chance;
                *variance += chance * (1.0 - chance);
            }
        }
    }

    /// As [`Margin::add_agent`], `count` times.
    pub fn add_agents(&mut self, chance: f64, count: u32) {
        if let Margin::Normal { mean, variance, .. } = self {
            let count = f64::from(count);
            *mean += chance * count;
            *variance += chance * (1.0 - chance) * count;
        } else {
            for _ in 0..count {
                self.add_agent(chance);
            }
        }
    }

    /// Adds a call that is answered and still needs an agent by then with this probability.
    pub fn add_call(&mut self, chance: f64) {
        match self {
            Margin::Exact { pmf, below, lumped } => {
                if !*lumped {
                    let at = (*below).min(pmf.len() - 1);
                    let short: f64 = pmf[..=at].iter().sum();
                    if *below >= pmf.len() {
                        *pmf = vec![short];
                    } else {
                        pmf.drain(..at);
                        pmf[0] = short;
                    }
                    (*below, *lumped) = (0, true);
                }
                let stay = 1.0 - chance;
                let len = pmf.len();
                if len > 1 {
                    pmf[0] += pmf[1] * chance;
                    for n in 1..len - 1 {
                        pmf[n] = pmf[n] * stay + pmf[n + 1] * chance;
                    }
                    pmf[len - 1] *= stay;
                    if pmf[len - 1] < 1e-9 {
                        pmf.pop();
                    }
                }
            }
            Margin::Normal { mean, variance, answers, .. } => {
                *mean -= chance;
                *variance += chance * (1.0 - chance);
                *answers += chance;
            }
        }
    }

    /// As [`Margin::add_call`], `count` times.
    pub fn add_calls(&mut self, chance: f64, count: u32) {
        if let Margin::Normal { mean, variance, answers, .. } = self {
            let count = f64::from(count);
            *mean -= chance * count;
            *variance += chance * (1.0 - chance) * count;
            *answers += chance * count;
        } else {
            for _ in 0..count {
                self.add_call(chance);
            }
        }
    }

    /// P(one more answer finds no idle agent).
    pub fn shortage(&self) -> f64 {
        match self {
            Margin::Exact { pmf, lumped: true, .. } => pmf[0],
            Margin::Exact { pmf, below, .. } => pmf.iter().take(below + 1).sum(),
            Margin::Normal { mean, variance, answers, doubt } => {
                let spread = (variance + (answers * doubt).powi(2)).max(0.04).sqrt();
                normal::below((0.5 - mean) / spread)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum over all outcomes.
    fn brute_force(surplus: i64, agents: &[f64], calls: &[f64]) -> f64 {
        let all: Vec<(f64, i64)> =
            agents.iter().map(|p| (*p, 1)).chain(calls.iter().map(|p| (*p, -1))).collect();
        (0u32..1 << all.len())
            .map(|mask| {
                let (mut chance, mut margin) = (1.0, surplus);
                for (n, (p, step)) in all.iter().enumerate() {
                    if mask & (1 << n) != 0 {
                        chance *= p;
                        margin += step;
                    } else {
                        chance *= 1.0 - p;
                    }
                }
                if margin <= 0 { chance } else { 0.0 }
            })
            .sum()
    }

    #[test]
    fn the_exact_margin_is_the_sum_over_all_outcomes() {
        let agents = [0.3, 0.05, 0.9, 0.5];
        let calls = [0.2, 0.2, 0.7, 0.01, 0.4];
        for surplus in -3..4 {
            let mut margin = Margin::exact(surplus);
            agents.iter().for_each(|p| margin.add_agent(*p));
            assert!(
                (margin.shortage() - brute_force(surplus, &agents, &[])).abs() < 1e-9,
                "surplus {surplus}"
            );
            calls.iter().for_each(|p| margin.add_call(*p));
            let expected = brute_force(surplus, &agents, &calls);
            assert!(
                (margin.shortage() - expected).abs() < 1e-9,
                "surplus {surplus}: {} {expected}",
                margin.shortage()
            );
        }
    }

    #[test]
    fn the_normal_margin_comes_close_where_the_floor_is_large() {
        let (mut exact, mut normal) = (Margin::exact(3), Margin::normal(3, 0.0));
        for n in 0..60 {
            let p = 0.1 + 0.3 * f64::from(n % 7) / 7.0;
            exact.add_agent(p);
            normal.add_agent(p);
        }
        exact.add_calls(0.25, 70);
        normal.add_calls(0.25, 70);
        assert!((exact.shortage() - normal.shortage()).abs() < 0.01);
    }

    #[test]
    fn with_one_idle_agent_the_second_call_fails_if_the_first_is_answered() {
        let mut margin = Margin::exact(1);
        assert_eq!(margin.shortage(), 0.0);
        margin.add_call(0.3);
        assert!((margin.shortage() - 0.3).abs() < 1e-12);
        margin.add_call(0.3);
        assert!((margin.shortage() - 0.51).abs() < 1e-12);
    }
}
