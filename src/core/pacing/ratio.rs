//! Mode ratio: lines per idle agent, the fixed ratio of the dialer manuals. `brake` makes the abandon rate a
//! ceiling.

/// Lines = ratio x idle agents, rounded down; zero without an idle agent.
pub fn lines(ratio: f64, idle: u32) -> u32 {
    let lines = ratio.max(0.0) * f64::from(idle);
    // The manuals' examples are exact products: 1.3 x 10 is 13.
    (lines + 1e-9).floor().min(f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_numbers_of_the_manuals() {
        // Z5: ratio 2.
        assert_eq!([0, 1, 100].map(|idle| lines(2.0, idle)), [0, 2, 200]);
        // Wombat: 7 x 1.3 = 9.
        assert_eq!(lines(1.3, 7), 9);
        assert_eq!(lines(1.3, 10), 13);
        assert_eq!(lines(0.0, 10), 0);
    }
}
