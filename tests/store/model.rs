//! Random operations on the store and on a small model of the dial check: the verdicts and the number of
//! attempts agree, also across restarts.

use super::*;
use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const NUMBERS: u64 = 12;

/// The dial check in a few lines. Attempts: number, campaign, time placed, counted, open.
#[derive(Default)]
struct Model {
    attempts: Vec<(u64, CampaignId, i64, bool, bool)>,
    blacklist: Vec<u64>,
    resting: BTreeMap<u64, i64>,
    /// Rests of abandoned numbers; a guaranteed request ignores them.
    shielded: BTreeMap<u64, i64>,
    /// Dialogs that a restart left open, by id: number, and when its call was cut off.
    dialogs: BTreeMap<i64, (u64, i64)>,
}

impl Model {
    fn verdict(&self, request: &AttemptRequest, now: i64) -> DialVerdict {
        let number = request.number.as_u64();
        let no = |until, reason| DialVerdict::NotBefore { until: Utc::from_millis(until), reason };
        let mine: Vec<_> = self.attempts.iter().filter(|attempt| attempt.0 == number).collect();
        let counted: Vec<_> = mine.iter().filter(|attempt| attempt.3).collect();
        let day = request.day_start.as_millis()..request.day_end.as_millis();
        let gap = request.gap_min.as_millis() as i64;
        let last = counted.iter().map(|attempt| attempt.2).max();
        let shielded = self.shielded.get(&number).filter(|_| !request.guaranteed);
        let ending = self.dialogs.values().any(|(of, cut)| *of == number && *cut >= now - 30 * MINUTE);
        let ending = ending.then_some(now + 10_000);
        let rest = self.resting.get(&number).max(shielded).copied().max(ending).unwrap_or(0);
        if self.blacklist.contains(&number) {
            DialVerdict::Closed(Reason::Blacklisted)
        } else if mine.iter().any(|attempt| attempt.4) {
            no(now + 60_000, Reason::Duplicate)
        } else if rest > now {
            no(rest, Reason::AttemptsUsed)
        } else if counted.iter().filter(|attempt| attempt.1 == request.campaign).count() >= 3 {
            DialVerdict::Closed(Reason::AttemptsUsed)
        } else if last.is_some_and(|last| last + gap > now) {
            no(last.unwrap() + gap, Reason::AttemptsUsed)
        } else if counted.iter().filter(|attempt| day.contains(&attempt.2)).count() >= 3 {
            no(request.day_end.as_millis(), Reason::AttemptsUsed)
        } else {
            DialVerdict::Opened
        }
    }
}

async fn one_seed(seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut fixture = Fixture::new().await;
    let autumn = define(&fixture.store, "autumn", &retry_rules()).await;
    let mut model = Model::default();
    let mut open: Vec<(AttemptRequest, usize)> = Vec::new();
    for step in 0..150 {
        let place = format!("seed {seed}, step {step}");
        fixture.clock.advance(random.random_range(0..40 * MINUTE));
        match random.random_range(0..100) {
            0..55 => {
                let mut request = fixture.request(None, number(random.random_range(0..NUMBERS)));
                request.campaign = [fixture.campaign, autumn][random.random_range(0..2)];
                request.guaranteed = random.random_bool(0.3);
                let days = (fixture.clock.now().as_millis() - MORNING) / DAY;
                request.day_start = Utc::from_millis(MORNING + days * DAY);
                request.day_end = request.day_start + Duration::from_millis(DAY as u64);
                let expected = model.verdict(&request, fixture.clock.now().as_millis());
                assert_eq!(fixture.dial(&request).await, expected, "{place}");
                if expected == DialVerdict::Opened {
                    let (number, at) = (request.number.as_u64(), request.placed_at.as_millis());
                    model.attempts.push((number, request.campaign, at, true, true));
                    open.push((request, model.attempts.len() - 1));
                }
            }
            55..90 if !open.is_empty() => {
                let (request, at) = open.swap_remove(random.random_range(0..open.len()));
                let outcomes = [
                    Outcome::Busy,
                    Outcome::LineFault,
                    Outcome::Answered,
                    Outcome::CarrierBlock,
                    Outcome::Abandoned,
                ];
                let outcome = outcomes[random.random_range(0..outcomes.len())];
                let mut result = result(&request, None, outcome, fixture.clock.now());
                if outcome == Outcome::Abandoned {
                    let until = fixture.clock.now() + Duration::from_secs(2 * 3600);
                    result.rest_until = Some(until);
                    let shielded = model.shielded.entry(request.number.as_u64()).or_default();
                    *shielded = until.as_millis().max(*shielded);
                }
                fixture.ask(Command::SaveResult(Box::new(result))).await;
                model.attempts[at].3 = outcome.counts();
                model.attempts[at].4 = false;
            }
            90..92 => {
                let number = number(random.random_range(0..NUMBERS));
                fixture.store.blacklist(None, number, "a person").await.unwrap();
                model.blacklist.push(number.as_u64());
            }
            92..96 => {
                let (dir, clock) = fixture.close().await;
                clock.advance(random.random_range(0..MINUTE));
                let now = clock.now().as_millis();
                model.dialogs.retain(|_, (_, cut)| *cut >= now - 30 * MINUTE);
                for (number, _) in model.dialogs.values() {
                    model.resting.insert(*number, now + 60_000);
                }
                fixture = Fixture::open(dir, clock, &retry_rules()).await;
                let known = model.dialogs.len();
                assert_eq!(fixture.open_dialogs.len(), known + open.len(), "{place}");
                open.sort_by_key(|(request, _)| request.attempt);
                for ((request, at), dialog) in open.drain(..).zip(&fixture.open_dialogs[known..]) {
                    model.attempts[at].4 = false;
                    model.resting.insert(request.number.as_u64(), now + 60_000);
                    model.dialogs.insert(dialog.id, (request.number.as_u64(), now));
                }
                let mut reader = fixture.store.reader().await.unwrap();
                let mut rows = 0;
                for campaign in [fixture.campaign, autumn] {
                    rows += reader.attempts(campaign, 0, 10_000).await.unwrap().len();
                }
                assert_eq!(rows, model.attempts.len(), "{place}");
            }
            96..99 if !model.dialogs.is_empty() => {
                let at = random.random_range(0..model.dialogs.len());
                let id = *model.dialogs.keys().nth(at).unwrap();
                model.dialogs.remove(&id);
                fixture.tell(Command::DialogEnded { id, reached: random.random_bool(0.5) }).await;
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn the_dial_check_agrees_with_a_small_model() {
    for seed in 0..12 {
        one_seed(seed).await;
    }
}
