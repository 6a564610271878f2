//! The owners' vote over the store: its count against the leads, flats of refused rows, and the order of dialling.

use super::explain::facts;
use super::floor::{ANA, again, said};
use super::*;
use paceline::config::campaign::vote::VotePlan;
use paceline::lists::{self, FurtherFlat, ListSpec};
use paceline::tasks::vote_owners;
use paceline_core::vote::{Joint, Owner, Tally, Voice, count};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

const TEXT: &str = "name = \"spring\"\nmode = \"announce\"\n[keys]\n1 = { result = \"agree\" }\n2 = { result = \"against\" }\n\
                    3 = { result = \"abstain\" }\n[[dispositions]]\ncode = \"voted\"\nstate = \"done\"\n[[dispositions]]\n\
                    code = \"declined\"\nstate = \"done\"\ndefault = true\n[vote]\nresults = { agree = [\"agree\", \"voted\"], \
                    against = [\"against\", \"declined\"], abstain = [\"abstain\"] }\n";

fn plan(joint: Joint) -> VotePlan {
    let mut plan = VotePlan::of_text(TEXT).expect("a vote");
    plan.rules.joint = joint;
    plan
}

fn flat(row: u64, of: u64, household: &str, area: Option<u64>) -> FurtherFlat {
    FurtherFlat { row, number: number(of), household: household.into(), area }
}

fn second_flat(row: u64, of: u64, household: &str, area: Option<u64>) -> RefusedRow {
    RefusedRow { flat: Some(flat(row, of, household, area)), ..refused(row, Reason::Duplicate) }
}

async fn read_owners(fixture: &Fixture, plan: &VotePlan) -> Vec<Owner> {
    let rows = fixture.store.reader().await.unwrap().owners(fixture.campaign).await.unwrap();
    vote_owners(rows, plan)
}

/// A lead as SQL gives it: what it said by the words of `TEXT`, whether it is open, and its flats.
struct Plain {
    voice: Option<Voice>,
    is_open: bool,
    flats: Vec<(String, u64)>,
}

async fn plain_leads(fixture: &Fixture) -> Vec<Plain> {
    let mut conn =
        <sqlx::SqliteConnection as sqlx::Connection>::connect(&url(fixture.dir.path())).await.unwrap();
    type Row = (i64, Option<String>, Option<String>, String, Option<String>, Option<i64>);
    let leads: Vec<Row> = sqlx::query_as(
        "select l.id, l.result, l.disposition, l.state, h.name, l.area from lead l
           left join household h on h.id = l.household_id order by l.id",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let mut plain = Vec::new();
    for (id, result, disposition, state, household, area) in leads {
        let further: Vec<(String, Option<i64>)> = sqlx::query_as(
            "select f.household, f.area from further_flat f join phone p on p.number = f.number where p.lead_id = $1",
        )
        .bind(id)
        .fetch_all(&mut conn)
        .await
        .unwrap();
        let own = (household.unwrap_or(format!("alone {id}")), area);
        let voice = match (disposition.as_deref(), result.as_deref()) {
            (Some("voted"), _) => Some(Voice::Agree),
            (Some("declined"), _) => Some(Voice::Against),
            (_, Some("agree")) => Some(Voice::Agree),
            (_, Some("against")) => Some(Voice::Against),
            (_, Some("abstain")) => Some(Voice::Abstain),
            _ => None,
        };
        let flats = std::iter::once(own).chain(further);
        plain.push(Plain {
            voice,
            is_open: state == "open" || state == "follow_up",
            flats: flats.map(|(name, area)| (name, area.unwrap_or(0) as u64)).collect(),
        });
    }
    plain
}

/// Leads that share flats, merged until nothing changes.
fn together(leads: &[Plain]) -> Vec<Vec<usize>> {
    let mut heads: Vec<Vec<usize>> = (0..leads.len()).map(|at| vec![at]).collect();
    let names = |head: &[usize]| -> BTreeSet<&str> {
        head.iter().flat_map(|at| &leads[*at].flats).map(|(name, _)| name.as_str()).collect()
    };
    while let Some((one, other)) = (0..heads.len())
        .flat_map(|one| (one + 1..heads.len()).map(move |other| (one, other)))
        .find(|(one, other)| !names(&heads[*one]).is_disjoint(&names(&heads[*other])))
    {
        let merged = heads.remove(other);
        heads[one].extend(merged);
    }
    heads
}

/// The sums over heads, and over the area of whole flats.
fn expected(leads: &[Plain], heads: &[Vec<usize>]) -> (Tally, u64) {
    let mut tally = Tally::default();
    let mut flats: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, area) in leads.iter().flat_map(|lead| &lead.flats) {
        let known = flats.entry(name).or_default();
        if *known == 0 {
            *known = *area;
        }
    }
    for head in heads {
        let voices: BTreeSet<Voice> = head.iter().filter_map(|at| leads[*at].voice).collect();
        let mut voices = voices.into_iter();
        match (voices.next(), voices.next()) {
            (None, _) => tally.open += u64::from(head.iter().any(|at| leads[*at].is_open)),
            (Some(_), Some(_)) => tally.differing += 1,
            (Some(Voice::Agree), None) => tally.agree += 1,
            (Some(Voice::Against), None) => tally.against += 1,
            (Some(Voice::Abstain), None) => tally.abstain += 1,
        }
        tally.total += 1;
    }
    tally.took_part = tally.agree + tally.against + tally.abstain + tally.differing;
    (tally, flats.values().sum())
}

/// An estate of joint owners and of owners with several flats, some without an area.
fn estate(random: &mut ChaCha8Rng) -> (Vec<LeadRow>, Vec<RefusedRow>) {
    let area = |flat: u64| (!flat.is_multiple_of(5)).then_some(5_000 + flat * 317);
    let leads: Vec<LeadRow> = (0..24)
        .map(|n| {
            let at = random.random_range(0..18_u64);
            let household = format!("3-1-{at}");
            let named = (n % 7 > 0).then_some(household.as_str());
            LeadRow { area: area(at), ..row(n + 2, &[n], named) }
        })
        .collect();
    let refused = (0..6)
        .map(|n| {
            let at = random.random_range(12..24_u64);
            second_flat(40 + n, random.random_range(0..24), &format!("3-1-{at}"), area(at))
        })
        .collect();
    (leads, refused)
}

/// One call: a key, a summary that books a callback or decides, a correction of it, or no answer.
async fn step(fixture: &mut Fixture, random: &mut ChaCha8Rng) {
    let Some(lead) = fixture.fetch(1).await.0.into_iter().next() else { return };
    let request = fixture.request(Some(&lead), lead.phones[0].number);
    if fixture.dial(&request).await != DialVerdict::Opened {
        fixture.tell(Command::ReturnLeads { leads: vec![lead.id] }).await;
        return;
    }
    let at = fixture.clock.now();
    let choice = random.random_range(0..6);
    let outcome = if choice == 0 { Outcome::NoAnswer } else { Outcome::Answered };
    let mut ended = result(&request, Some(&lead), outcome, at);
    if let Some(update) = ended.lead.as_mut().filter(|_| (1..4).contains(&choice)) {
        update.result = Some(["agree", "against", "abstain"][choice - 1].to_owned());
        // In half of the calls the flat's other owners are still called.
        update.household_done = lead.household.filter(|_| random.random_bool(0.5));
    }
    fixture.ask(Command::SaveResult(Box::new(ended))).await;
    if choice < 4 {
        return;
    }
    let later = again(&request, &lead, LeadState::FollowUp, at + Duration::from_secs(7_200));
    fixture.summarise(&said(&request, "call_later", at, Some(later))).await;
    if choice == 5 {
        let code = if random.random_bool(0.5) { "voted" } else { "declined" };
        let done = update(fixture.campaign, &lead, LeadState::Done);
        fixture.summarise(&said(&request, code, at, Some(done))).await;
    }
}

#[tokio::test]
async fn the_count_reconciles_with_the_leads_of_the_store() {
    let mut seen = Tally::default();
    for seed in 0..3 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut fixture = Fixture::new().await;
        let (leads, refused) = estate(&mut random);
        fixture.list(&leads, &refused).await;
        for _ in 0..16 {
            step(&mut fixture, &mut random).await;
            let plain = plain_leads(&fixture).await;
            let (heads, area) = expected(&plain, &together(&plain));
            let plan_one = plan(Joint::One);
            let one = count(&plan_one.rules, &read_owners(&fixture, &plan_one).await);
            assert_eq!((one.heads, one.area.total), (heads, area), "seed {seed}");
            let singly: Vec<Vec<usize>> = (0..plain.len()).map(|at| vec![at]).collect();
            let plan_each = plan(Joint::Each);
            let each = count(&plan_each.rules, &read_owners(&fixture, &plan_each).await);
            assert_eq!((each.heads, each.area.total), expected(&plain, &singly), "seed {seed}");
            seen.agree += heads.agree;
            seen.against += heads.against;
            seen.abstain += heads.abstain;
            seen.differing += heads.differing;
            seen.open += heads.open;
        }
    }
    assert!(
        [seen.agree, seen.against, seen.abstain, seen.differing, seen.open].iter().all(|n| *n > 0),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_refused_row_of_another_flat_counts_for_the_owner_whose_number_it_repeats() {
    let fixture = Fixture::new().await;
    let file = fixture.dir.path().join("list.csv");
    let text = "姓名,手机号码,房号,面积\n邓芳,15471834138,1-0201,131.6\n邓芳,15471834138,1-0305,88\n\
                韩建红,15471834138,1-0201,131.6\n杨娟,15477905107,1-0202,89\n";
    std::fs::write(&file, text).unwrap();
    let spec = ListSpec { file, region: "CN".into(), ..ListSpec::default() };
    let mut batches = Vec::new();
    let report = lists::import::<()>(&spec, &mut std::iter::empty(), &mut |batch| {
        batches.push(batch.clone());
        Ok(())
    })
    .unwrap();
    assert_eq!(
        (report.leads, report.refused_rows, report.households),
        (2, 2, 2),
        "a refused row is no household"
    );
    let import = fixture.list(&batches[0].leads, &batches[0].refused).await;
    let owners = read_owners(&fixture, &plan(Joint::One)).await;
    let areas: Vec<Vec<Option<u64>>> =
        owners.iter().map(|owner| owner.flats.iter().map(|flat| flat.area).collect()).collect();
    // The third row names the same flat.
    assert_eq!(areas, [vec![Some(13_160), Some(8_800)], vec![Some(8_900)]]);
    fixture.store.undo_import(import).await.unwrap();
    let again = fixture.list(&batches[0].leads, &[]).await;
    let owners = read_owners(&fixture, &plan(Joint::One)).await;
    assert!(owners.iter().all(|owner| owner.flats.len() == 1), "an undone list takes its flats away");
    // A later list names a further flat of a lead that the campaign has.
    let new = NewImport {
        campaign: fixture.campaign,
        file: "b.csv".into(),
        fingerprint: "b".into(),
        header: vec![],
    };
    let mut import = fixture.store.begin_import(&new).await.unwrap();
    let numbers = &batches[0].leads;
    let flats = [("1-0201", 9), ("2-0101", 10)].map(|(household, row)| FurtherFlat {
        row,
        number: numbers[0].phones[0].0,
        household: household.into(),
        area: Some(7_000),
    });
    import.push_flats(&flats).await.unwrap();
    assert_eq!(read_owners(&fixture, &plan(Joint::One)).await[0].flats.len(), 1, "not visible yet");
    import.commit(2, "{}").await.unwrap();
    assert_eq!(read_owners(&fixture, &plan(Joint::One)).await[0].flats.len(), 2);
    assert!(again > ImportId(0));
}

#[tokio::test]
async fn a_vote_dials_what_it_needs_most_and_a_second_try_after_every_first() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(6), &[]).await;
    // One was called before, and is due again.
    let (tried, _) = fixture.call(Outcome::NoAnswer).await;
    fixture.clock.advance(3 * 3_600_000);
    let first: Vec<LeadId> = {
        let (leads, ..) = fixture.fetch(6).await;
        fixture.tell(Command::ReturnLeads { leads: ids(&leads) }).await;
        ids(&leads)
    };
    assert_eq!(first[0], tried.id, "without a vote the retry comes first");
    let others: Vec<LeadId> = first[1..].to_vec();
    // The last two are needed most, the first of the others not at all.
    let order = [(others[4], 9_000), (others[3], 9_000), (others[2], 500), (others[1], 1), (others[0], 0)];
    fixture.store.set_vote_order(&order).await.unwrap();
    let (leads, next_due, _) = fixture.fetch(2).await;
    assert_eq!(ids(&leads), [others[3], others[4]]);
    assert_eq!(next_due, None, "a retry that waits is not due");
    // The place that is shown of a lead is the order in which leads come.
    let mut reader = fixture.store.reader().await.unwrap();
    fixture.tell(Command::ReturnLeads { leads: ids(&leads) }).await;
    let places = [others[3], others[4], others[2], others[1], tried.id, others[0]];
    for (ahead, lead) in places.into_iter().enumerate() {
        assert_eq!(facts(&mut reader, &fixture, lead).await.ahead, ahead as u64, "{lead:?}");
    }
    drop(reader);
    assert_eq!(ids(&fixture.fetch(2).await.0), [others[3], others[4]]);
    let timed =
        fixture.ask(Command::FetchLeads { campaign: fixture.campaign, count: 5, untried: false }).await;
    assert!(matches!(timed, Reply::Leads { leads, .. } if leads.is_empty()));
    let (leads, ..) = fixture.fetch(5).await;
    assert_eq!(ids(&leads), [others[2], others[1], tried.id, others[0]]);
}

#[tokio::test]
async fn callbacks_and_what_a_person_moved_up_come_before_the_vote() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(4), &[]).await;
    let (booked, request) = fixture.talk(ANA).await;
    let at = fixture.clock.now() + Duration::from_secs(60);
    let later = again(&request, &booked, LeadState::FollowUp, at);
    fixture.summarise(&said(&request, "call_later", fixture.clock.now(), Some(later))).await;
    let (leads, ..) = fixture.fetch(3).await;
    fixture.tell(Command::ReturnLeads { leads: ids(&leads) }).await;
    let mut conn =
        <sqlx::SqliteConnection as sqlx::Connection>::connect(&url(fixture.dir.path())).await.unwrap();
    sqlx::query("update lead set next_at = 1, rank = 5 where id = $1")
        .bind(leads[2].id.0)
        .execute(&mut conn)
        .await
        .unwrap();
    fixture.store.set_vote_order(&[(leads[1].id, 900)]).await.unwrap();
    fixture.clock.advance(3_600_000);
    let (found, ..) = fixture.fetch(4).await;
    assert_eq!(ids(&found), [leads[2].id, booked.id, leads[1].id, leads[0].id]);
}
