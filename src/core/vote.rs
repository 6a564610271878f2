//! The count of an owners' vote: by heads and by area, against the thresholds of the rules.
//!
//! China, Civil Code article 278: owners who together have two thirds of the exclusive area, and two thirds of the
//! owners by number, must take part; an ordinary matter then needs more than half of both among those who took part
//! ("过半数": half is not enough), a special one three quarters of both or more ("四分之三以上"). By the Supreme
//! People's Court's interpretation on apartment ownership (法释〔2009〕7号 article 9, amended 2020) one exclusive part
//! counts as one owner, and somebody who has several as one.
//!
//! An owner is a lead; a flat is what several leads may have together, and a lead may have several. With
//! `Joint::One` owners and flats that hang together are one head, however many people they are. With `Joint::Each`
//! every lead is a head, and a flat's area is divided equally among its owners.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// What an owner said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    Agree,
    Against,
    Abstain,
}

/// How owners of one flat count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Joint {
    /// Together one head.
    #[default]
    One,
    /// Each a head.
    Each,
}

/// A share that must be reached, like `2/3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    pub part: u32,
    pub of: u32,
}

impl Threshold {
    pub const TWO_THIRDS: Threshold = Threshold { part: 2, of: 3 };
    pub const HALF: Threshold = Threshold { part: 1, of: 2 };

    /// From `2/3`; `None` = not a share above 0 and at most 1, in whole numbers up to 1,000.
    pub fn parse(text: &str) -> Option<Threshold> {
        let (part, of) = text.split_once('/')?;
        let whole = |text: &str| text.trim().parse::<u32>().ok().filter(|n| (1..=1_000).contains(n));
        let (part, of) = (whole(part)?, whole(of)?);
        (part <= of).then_some(Threshold { part, of })
    }

    /// Whether `part` of `of` reaches it: two thirds are enough for two thirds, half is not enough for a majority.
    pub fn is_reached(self, part: u64, of: u64) -> bool {
        self.missing(part, of) == 0 && of > 0
    }

    /// The least that `of` calls for.
    fn least(self, of: u64) -> u64 {
        let product = u128::from(of) * u128::from(self.part);
        let divisor = u128::from(self.of);
        let least = if self.part * 2 == self.of { product / divisor + 1 } else { product.div_ceil(divisor) };
        u64::try_from(least).unwrap_or(u64::MAX)
    }

    /// What `part` lacks of the least that `of` calls for.
    pub fn missing(self, part: u64, of: u64) -> u64 {
        self.least(of).saturating_sub(part)
    }
}

impl std::fmt::Display for Threshold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

/// The rules of a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteRules {
    pub joint: Joint,
    pub quorum_heads: Threshold,
    pub quorum_area: Threshold,
    pub majority: Threshold,
    /// Owners of the whole estate; `None` = as many as the list has.
    pub heads_total: Option<u64>,
    /// Area of the whole estate, in hundredths of a square metre; `None` = as the list has.
    pub area_total: Option<u64>,
}

/// A flat as an owner has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flat {
    /// What the list calls it; the same text is the same flat. `None` = a flat of its own.
    pub name: Option<String>,
    /// Hundredths of a square metre; `None` = not in the list.
    pub area: Option<u64>,
}

/// An owner: one lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub lead: i64,
    /// At least one.
    pub flats: Vec<Flat>,
    pub voice: Option<Voice>,
    /// The campaign may still reach this owner.
    pub is_open: bool,
}

/// A sum over heads, or over area in hundredths of a square metre. `took_part` is the sum of the four after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub total: u64,
    pub took_part: u64,
    pub agree: u64,
    pub against: u64,
    pub abstain: u64,
    /// Joint owners who said different things: a person decides what that counts for.
    pub differing: u64,
    /// Of those who have said nothing: what the campaign may still reach.
    pub open: u64,
}

impl Tally {
    fn add(&mut self, amount: u64, said: Said) {
        match said {
            Said::Nothing { is_open } => self.open += if is_open { amount } else { 0 },
            Said::One(Voice::Agree) => self.agree += amount,
            Said::One(Voice::Against) => self.against += amount,
            Said::One(Voice::Abstain) => self.abstain += amount,
            Said::Different => self.differing += amount,
        }
        self.total += amount;
        self.took_part = self.agree + self.against + self.abstain + self.differing;
    }
}

/// What the owners of a head said together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Nothing {
        /// The campaign may still reach one of them.
        is_open: bool,
    },
    One(Voice),
    /// Joint owners said different things.
    Different,
}

/// Owners who count as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// By place; at least one, the first of the list first.
    pub owners: Vec<usize>,
    pub flats: Vec<Flat>,
    /// Hundredths of a square metre that count for it.
    pub area: u64,
    pub said: Said,
}

/// Where a vote stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Open,
    /// Enough took part and agree, whatever the others say.
    Certain,
    /// Not to be reached any more, even if all that the campaign may still reach agree.
    OutOfReach,
}

/// What is still needed, as things stand; 0 = reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillNeeded {
    pub quorum_heads: u64,
    pub quorum_area: u64,
    /// Of those who took part.
    pub agree_heads: u64,
    pub agree_area: u64,
}

/// The count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub heads: Tally,
    pub area: Tally,
    /// Flats without an area: they count by heads alone.
    pub flats_without_area: u64,
    pub flats: u64,
    pub still_needed: StillNeeded,
    pub standing: Standing,
}

impl Count {
    /// Whether area counts: at least one flat has one.
    pub fn has_area(&self) -> bool {
        self.area.total > 0
    }
}

/// A head as it was counted, without its flats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedHead {
    /// By place; at least one, the first of the list first.
    pub owners: Vec<usize>,
    /// Hundredths of a square metre that count for it.
    pub area: u64,
    pub said: Said,
}

/// Counts a vote.
pub fn count(rules: &VoteRules, owners: &[Owner]) -> Count {
    count_with_heads(rules, owners).0
}

/// Counts a vote, with the heads that it counts in the order of their first owners.
pub fn count_with_heads(rules: &VoteRules, owners: &[Owner]) -> (Count, Vec<CountedHead>) {
    let flats = Flats::of(owners);
    let groups = groups_of(rules.joint, owners, &flats);
    let (mut heads, mut area) = (Tally::default(), Tally::default());
    for group in &groups {
        heads.add(1, group.said);
        area.add(group.area, group.said);
    }
    // The estate may have more than the list, never less than what the list shows.
    heads.total = heads.total.max(rules.heads_total.unwrap_or(0));
    area.total = area.total.max(rules.area_total.unwrap_or(0));
    let without = flats.areas.iter().filter(|area| area.is_none()).count() as u64;
    let has_area = area.total > 0;
    let of_area = |n: u64| if has_area { n } else { 0 };
    let still_needed = StillNeeded {
        quorum_heads: rules.quorum_heads.missing(heads.took_part, heads.total),
        quorum_area: of_area(rules.quorum_area.missing(area.took_part, area.total)),
        agree_heads: rules.majority.missing(heads.agree, heads.took_part),
        agree_area: of_area(rules.majority.missing(area.agree, area.took_part)),
    };
    let count = Count {
        heads,
        area,
        flats_without_area: without,
        flats: flats.areas.len() as u64,
        still_needed,
        standing: standing(rules, &heads, has_area.then_some(&area)),
    };
    let counted = |group: Group| CountedHead { owners: group.owners, area: group.area, said: group.said };
    (count, groups.into_iter().map(counted).collect())
}

fn standing(rules: &VoteRules, heads: &Tally, area: Option<&Tally>) -> Standing {
    let both = |holds: &dyn Fn(&Tally, Threshold) -> bool| {
        holds(heads, rules.quorum_heads) && area.is_none_or(|area| holds(area, rules.quorum_area))
    };
    // The worst case: everybody else takes part and is against it.
    let is_certain = |it: &Tally, quorum: Threshold| {
        quorum.is_reached(it.took_part, it.total) && rules.majority.is_reached(it.agree, it.total)
    };
    // The best case: all that may still be reached agree. Joint owners who differ may agree yet.
    let is_possible = |it: &Tally, quorum: Threshold| {
        let took_part = it.took_part + it.open;
        quorum.is_reached(took_part, it.total)
            && rules.majority.is_reached(it.agree + it.open + it.differing, took_part)
    };
    if both(&is_certain) {
        Standing::Certain
    } else if both(&is_possible) {
        Standing::Open
    } else {
        Standing::OutOfReach
    }
}

/// The heads that a vote counts, in the order of their first owners.
pub fn heads(joint: Joint, owners: &[Owner]) -> Vec<Head> {
    let flats = Flats::of(owners);
    let head = |group: Group| Head {
        flats: group.flats.iter().map(|place| flats.flat(*place)).collect(),
        owners: group.owners,
        area: group.area,
        said: group.said,
    };
    groups_of(joint, owners, &flats).into_iter().map(head).collect()
}

/// A head with its flats by place.
struct Group {
    owners: Vec<usize>,
    flats: Vec<usize>,
    area: u64,
    said: Said,
}

/// The flats of all owners, each once.
struct Flats<'a> {
    names: Vec<Option<&'a str>>,
    areas: Vec<Option<u64>>,
    /// Of each owner, by place.
    of_owner: Vec<Vec<usize>>,
}

impl<'a> Flats<'a> {
    fn of(owners: &'a [Owner]) -> Flats<'a> {
        let mut known: FxHashMap<&str, usize> = FxHashMap::default();
        let mut names: Vec<Option<&str>> = Vec::new();
        let mut areas: Vec<Option<u64>> = Vec::new();
        let mut of_owner = Vec::with_capacity(owners.len());
        for owner in owners {
            let mut places: Vec<usize> = Vec::with_capacity(owner.flats.len());
            for flat in &owner.flats {
                let new = areas.len();
                let place = flat.name.as_deref().map_or(new, |name| *known.entry(name).or_insert(new));
                if place == new {
                    names.push(flat.name.as_deref());
                    areas.push(flat.area);
                } else if areas[place].is_none() {
                    areas[place] = flat.area;
                }
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            of_owner.push(places);
        }
        Flats { names, areas, of_owner }
    }

    fn flat(&self, place: usize) -> Flat {
        Flat { name: self.names[place].map(str::to_owned), area: self.areas[place] }
    }
}

fn groups_of(joint: Joint, owners: &[Owner], flats: &Flats<'_>) -> Vec<Group> {
    match joint {
        Joint::One => groups_together(owners, flats),
        Joint::Each => groups_each(owners, flats),
    }
}

/// Owners and flats that hang together are one head.
fn groups_together(owners: &[Owner], flats: &Flats<'_>) -> Vec<Group> {
    let mut linked: Vec<usize> = (0..flats.areas.len()).collect();
    for places in &flats.of_owner {
        for pair in places.windows(2) {
            let (one, other) = (root(&mut linked, pair[0]), root(&mut linked, pair[1]));
            linked[one.max(other)] = one.min(other);
        }
    }
    let mut groups: Vec<Group> = Vec::new();
    // Where the group of a first flat stands.
    let mut places_of: Vec<Option<usize>> = vec![None; flats.areas.len()];
    for (at, (owner, places)) in owners.iter().zip(&flats.of_owner).enumerate() {
        let Some(first) = places.first() else { continue };
        let place = *places_of[root(&mut linked, *first)].get_or_insert(groups.len());
        if place == groups.len() {
            let said = Said::Nothing { is_open: false };
            groups.push(Group { owners: Vec::with_capacity(1), flats: Vec::with_capacity(1), area: 0, said });
        }
        let group = &mut groups[place];
        group.owners.push(at);
        group.said = match (group.said, owner.voice) {
            (Said::Nothing { is_open }, None) => Said::Nothing { is_open: is_open || owner.is_open },
            (Said::Nothing { .. }, Some(voice)) => Said::One(voice),
            (Said::One(known), Some(voice)) if known != voice => Said::Different,
            (known, _) => known,
        };
    }
    for flat in 0..flats.areas.len() {
        if let Some(place) = places_of[root(&mut linked, flat)] {
            groups[place].area += flats.areas[flat].unwrap_or(0);
            groups[place].flats.push(flat);
        }
    }
    groups
}

/// The first flat of the group, with the path to it shortened.
fn root(group: &mut [usize], mut place: usize) -> usize {
    while group[place] != place {
        group[place] = group[group[place]];
        place = group[place];
    }
    place
}

/// Every owner is a head; a flat's area is divided among its owners, the rest of the division to the first ones.
fn groups_each(owners: &[Owner], flats: &Flats<'_>) -> Vec<Group> {
    let mut sharers: Vec<u64> = vec![0; flats.areas.len()];
    for place in flats.of_owner.iter().flatten() {
        sharers[*place] += 1;
    }
    let mut served: Vec<u64> = vec![0; flats.areas.len()];
    let mut share = |place: usize| {
        let whole = flats.areas[place].unwrap_or(0);
        let share = whole / sharers[place] + u64::from(served[place] < whole % sharers[place]);
        served[place] += 1;
        share
    };
    let group = |(at, (owner, places)): (usize, (&Owner, &Vec<usize>))| Group {
        owners: vec![at],
        flats: places.clone(),
        area: places.iter().map(|place| share(*place)).sum(),
        said: owner.voice.map_or(Said::Nothing { is_open: owner.is_open }, Said::One),
    };
    owners.iter().zip(&flats.of_owner).enumerate().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const RULES: VoteRules = VoteRules {
        joint: Joint::One,
        quorum_heads: Threshold::TWO_THIRDS,
        quorum_area: Threshold::TWO_THIRDS,
        majority: Threshold::HALF,
        heads_total: None,
        area_total: None,
    };

    fn flat(name: &str, area: u64) -> Flat {
        Flat { name: Some(name.to_owned()), area: (area > 0).then_some(area) }
    }

    fn owner(lead: i64, flats: &[Flat], voice: Option<Voice>) -> Owner {
        Owner { lead, flats: flats.to_vec(), voice, is_open: voice.is_none() }
    }

    #[test]
    fn two_thirds_are_enough_and_half_is_not() {
        assert!(Threshold::TWO_THIRDS.is_reached(2, 3) && !Threshold::TWO_THIRDS.is_reached(66, 100));
        assert!(!Threshold::HALF.is_reached(50, 100) && Threshold::HALF.is_reached(51, 100));
        let special = Threshold::parse("3/4").expect("a share");
        assert!(special.is_reached(75, 100) && !special.is_reached(74, 100));
        assert_eq!((special.missing(60, 100), Threshold::HALF.missing(0, 0)), (15, 1));
        for unfit in ["", "2", "3/2", "0/2", "2/0", "1/1001", "a/b", "-1/2"] {
            assert_eq!(Threshold::parse(unfit), None, "{unfit}");
        }
    }

    #[test]
    fn joint_owners_are_one_head_and_an_owner_of_two_flats_too() {
        let owners = [
            owner(1, &[flat("3-1-101", 8_950)], Some(Voice::Agree)),
            owner(2, &[flat("3-1-101", 8_950)], None),
            owner(3, &[flat("3-1-102", 10_000), flat("4-1-201", 6_000)], Some(Voice::Against)),
            owner(4, &[flat("3-1-103", 5_000)], None),
        ];
        let counted = count(&RULES, &owners);
        assert_eq!((counted.heads.total, counted.heads.took_part, counted.heads.agree), (3, 2, 1));
        assert_eq!((counted.area.total, counted.area.agree, counted.area.against), (29_950, 8_950, 16_000));
        assert_eq!((counted.heads.open, counted.area.open), (1, 5_000));
        let each = count(&VoteRules { joint: Joint::Each, ..RULES }, &owners);
        assert_eq!((each.heads.total, each.area.total, each.area.agree), (4, 29_950, 4_475));
    }

    #[test]
    fn joint_owners_who_differ_take_part_and_count_for_neither_side() {
        let owners = [
            owner(1, &[flat("a", 100)], Some(Voice::Agree)),
            owner(2, &[flat("a", 100)], Some(Voice::Against)),
            owner(3, &[flat("b", 100)], Some(Voice::Agree)),
        ];
        let counted = count(&RULES, &owners);
        let heads = counted.heads;
        assert_eq!((heads.took_part, heads.agree, heads.against, heads.differing), (2, 1, 0, 1));
    }

    #[test]
    fn heads_name_their_owners_and_flats_in_the_order_of_the_list() {
        let owners = [
            owner(1, &[flat("a", 100)], Some(Voice::Agree)),
            owner(2, &[flat("b", 200)], None),
            owner(3, &[flat("c", 0), flat("a", 100)], Some(Voice::Against)),
        ];
        let found = heads(Joint::One, &owners);
        assert_eq!(found.iter().map(|head| head.owners.clone()).collect::<Vec<_>>(), [vec![0, 2], vec![1]]);
        assert_eq!((found[0].said, found[0].area), (Said::Different, 100));
        assert_eq!(found[0].flats, [flat("a", 100), flat("c", 0)]);
        let each = heads(Joint::Each, &owners);
        assert_eq!(each.iter().map(|head| head.area).collect::<Vec<_>>(), [50, 200, 50]);
    }

    #[test]
    fn without_area_heads_alone_decide() {
        let owners: Vec<Owner> =
            (0..9).map(|n| owner(n, &[flat(&n.to_string(), 0)], (n < 6).then_some(Voice::Agree))).collect();
        let counted = count(&RULES, &owners);
        assert!(!counted.has_area());
        assert_eq!((counted.flats_without_area, counted.standing), (9, Standing::Certain));
        assert_eq!(counted.still_needed, StillNeeded::default());
    }

    /// An estate of random flats, some of them joint, some owners with two.
    fn estate(random: &mut ChaCha8Rng) -> Vec<Owner> {
        let flats = random.random_range(1..8);
        let voices = [None, Some(Voice::Agree), Some(Voice::Against), Some(Voice::Abstain)];
        (0..random.random_range(1..9))
            .map(|lead| {
                let mut own = || {
                    let n: u64 = random.random_range(0..flats);
                    flat(&format!("f{n}"), 1_000 + n * 137)
                };
                let flats = if lead % 3 == 0 { vec![own(), own()] } else { vec![own()] };
                let voice = voices[random.random_range(0..4)];
                Owner { lead, flats, voice, is_open: voice.is_none() && random.random_bool(0.7) }
            })
            .collect()
    }

    #[test]
    fn sums_reconcile_and_do_not_depend_on_the_order_of_the_list() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..500 {
            let owners = estate(&mut random);
            for joint in [Joint::One, Joint::Each] {
                let rules = VoteRules { joint, ..RULES };
                let counted = count(&rules, &owners);
                let mut turned = owners.clone();
                turned.reverse();
                let again = count(&rules, &turned);
                // Shares of an area that cannot be divided go to the first owners.
                assert_eq!(
                    (counted.heads, counted.area.total),
                    (again.heads, again.area.total),
                    "{owners:?}"
                );
                for tally in [counted.heads, counted.area] {
                    let parts = tally.agree + tally.against + tally.abstain + tally.differing;
                    assert_eq!(tally.took_part, parts);
                    assert!(tally.took_part + tally.open <= tally.total);
                }
            }
        }
    }

    /// What is certain stays so, and what is out of reach never passes, whatever the open owners say.
    #[test]
    fn a_standing_holds_against_every_end() {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let mut seen = [0; 3];
        for _ in 0..400 {
            let owners = estate(&mut random);
            let open: Vec<usize> = (0..owners.len()).filter(|n| owners[*n].is_open).collect();
            let rules = VoteRules { joint: Joint::Each, ..RULES };
            let before = count(&rules, &owners).standing;
            seen[before as usize] += 1;
            for end in 0..3_u32.pow(open.len() as u32) {
                let mut after = owners.clone();
                for (n, place) in open.iter().enumerate() {
                    let voice = [None, Some(Voice::Agree), Some(Voice::Against)]
                        [(end / 3_u32.pow(n as u32) % 3) as usize];
                    (after[*place].voice, after[*place].is_open) = (voice, false);
                }
                let counted = count(&rules, &after);
                let passes = counted.still_needed == StillNeeded::default();
                assert!(before != Standing::Certain || passes, "certain, and then not: {owners:?} {after:?}");
                assert!(
                    before != Standing::OutOfReach || !passes,
                    "out of reach, and then passed: {owners:?} {after:?}"
                );
            }
        }
        assert!(seen.iter().all(|n| *n > 10), "each standing is met: {seen:?}");
    }
}
