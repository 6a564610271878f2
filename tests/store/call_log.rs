//! The call log: filters against a plain model, pages against the whole, with calls that come and end meanwhile.

use super::*;
use paceline::store::{CallFilter, CallKey, CallOrder, GroupCalls, Reader, Scope};
use paceline_core::ids::AgentId;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::{Connection, SqliteConnection};

const SEED: u64 = 41;

/// Filters of one log.
const FILTERS: usize = 50;

const OUTCOMES: &[&str] = &["answered", "abandoned", "no_answer", "busy", "agent_failed", "machine"];

/// A call as the table has it.
#[derive(Clone, Debug)]
struct Call {
    id: i64,
    campaign: i64,
    lead: Option<i64>,
    building: Option<String>,
    number: i64,
    trunk: &'static str,
    caller_id: Option<i64>,
    placed_at: i64,
    answered_at: Option<i64>,
    connected_at: Option<i64>,
    ended_at: Option<i64>,
    outcome: Option<&'static str>,
    ended_by: Option<&'static str>,
    result: Option<&'static str>,
    agent: Option<i64>,
    disposition: Option<&'static str>,
    recording: bool,
}

impl Call {
    fn waited_in_vain(&self) -> bool {
        matches!(self.outcome, Some("abandoned" | "agent_failed"))
    }

    fn talk(&self) -> Option<i64> {
        Some(self.ended_at? - self.answered_at?)
    }

    fn waited(&self) -> Option<i64> {
        let end = self.connected_at.or(self.ended_at.filter(|_| self.waited_in_vain()));
        Some(end? - self.answered_at?)
    }

    fn matches(&self, filter: &CallFilter) -> bool {
        let of_group = |group: &GroupCalls| match self.agent {
            Some(agent) => group.agents.contains(&AgentId(agent)),
            None => group.campaigns.contains(&CampaignId(self.campaign)),
        };
        let missed = self.answered_at.is_some() && self.waited_in_vain();
        let is =
            |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        filter.from.is_none_or(|from| self.placed_at >= from)
            && filter.until.is_none_or(|until| self.placed_at < until)
            && filter.campaign.is_none_or(|campaign| campaign.0 == self.campaign)
            && filter
                .seen
                .as_ref()
                .is_none_or(|seen| self.agent.is_some_and(|it| seen.contains(&AgentId(it))))
            && filter.agent.is_none_or(|agent| Some(agent.0) == self.agent)
            && filter.group.as_ref().is_none_or(of_group)
            && is(&filter.outcome, self.outcome)
            && is(&filter.result, self.result)
            && is(&filter.trunk, Some(self.trunk))
            && is(&filter.disposition, self.disposition)
            && is(&filter.ended_by, self.ended_by)
            && is(&filter.building, self.building.as_deref())
            && filter.caller_id.is_none_or(|number| Some(number as i64) == self.caller_id)
            && filter.lead.is_none_or(|lead| Some(lead.0) == self.lead)
            && filter.number.is_none_or(|number| number.as_u64() as i64 == self.number)
            && filter.talk_min.is_none_or(|least| self.talk().is_some_and(|it| it >= least))
            && filter.talk_max.is_none_or(|most| self.talk().is_some_and(|it| it <= most))
            && filter.waited_min.is_none_or(|least| self.waited().is_some_and(|it| it >= least))
            && filter.recorded.is_none_or(|recorded| recorded == self.recording)
            && filter.missed.is_none_or(|wanted| wanted == missed)
    }
}

struct Log {
    fixture: Fixture,
    conn: SqliteConnection,
    random: ChaCha8Rng,
    calls: BTreeMap<i64, Call>,
    campaigns: [i64; 2],
    leads: Vec<(i64, Option<String>)>,
}

impl Log {
    async fn new(seed: u64) -> Log {
        let fixture = Fixture::new().await;
        let rows: Vec<LeadRow> = (0..60)
            .map(|n| LeadRow {
                building: (n % 3 > 0).then(|| format!("{}", n % 4)),
                ..row(n + 2, &[n], None)
            })
            .collect();
        fixture.list(&rows, &[]).await;
        let other = define(&fixture.store, "autumn", &retry_rules()).await;
        let campaigns = [fixture.campaign.0, other.0];
        let mut conn = SqliteConnection::connect(&url(fixture.dir.path())).await.unwrap();
        let leads =
            sqlx::query_as("select id, building from lead order by id").fetch_all(&mut conn).await.unwrap();
        let random = ChaCha8Rng::seed_from_u64(seed);
        Log { fixture, conn, random, calls: BTreeMap::new(), campaigns, leads }
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.random_range(0..of.len())]
    }

    /// A call that is up; calls of the first hours stand in any order, as after a correction of the clock.
    fn call(&mut self, at: i64) -> Call {
        let lead = self.random.random_range(0..self.leads.len() + 40);
        let lead = self.leads.get(lead).cloned();
        Call {
            id: self.calls.len() as i64 + 1,
            // A lead is called for its own campaign.
            campaign: if lead.is_some() { self.campaigns[0] } else { self.one(&self.campaigns.clone()) },
            lead: lead.as_ref().map(|lead| lead.0),
            building: lead.and_then(|lead| lead.1),
            number: number(self.random.random_range(0..8)).as_u64() as i64,
            trunk: self.one(&["main", "spare"]),
            caller_id: self.one(&[None, Some(8_675_512_345_671), Some(8_675_512_345_672)]),
            placed_at: at,
            answered_at: None,
            connected_at: None,
            ended_at: None,
            outcome: None,
            ended_by: None,
            result: None,
            agent: None,
            disposition: None,
            recording: false,
        }
    }

    fn end(&mut self, call: &mut Call) {
        let outcome = self.one(OUTCOMES);
        let has_talk = matches!(outcome, "answered" | "machine");
        let is_answered = has_talk || outcome == "abandoned" || self.random.random_range(0..2) == 0;
        call.outcome = Some(outcome);
        call.answered_at = is_answered.then(|| call.placed_at + 5_000);
        call.connected_at = call
            .answered_at
            .filter(|_| outcome == "answered")
            .map(|at| at + self.random.random_range(0..9_000));
        call.agent = call.connected_at.and_then(|_| self.one(&[Some(1), Some(2), Some(3), None]));
        let begun = call.connected_at.or(call.answered_at).unwrap_or(call.placed_at);
        call.ended_at = Some(begun + self.random.random_range(0..60) * 500);
        call.ended_by = Some(self.one(&["callee", "agent", "dialer"]));
        call.result = self.one(&[None, None, Some("agree")]);
        call.disposition = call.agent.and_then(|_| self.one(&[None, Some("voted"), Some("later")]));
        call.recording = call.agent.is_some() && self.random.random_range(0..2) == 0;
    }

    async fn write(&mut self, call: Call) {
        sqlx::query(
            "insert into attempt (id, campaign_id, lead_id, number, ordinal, trunk, caller_id, call_id, dialog, state,
                                  placed_at, answered_at, connected_at, ended_at, outcome, ended_by, result, agent_id,
                                  disposition, recording, rest_millis)
             values ($1, $2, $3, $4, 1, $5, $6, 'x', '{}', $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0)
             on conflict (id) do update set state = excluded.state, answered_at = excluded.answered_at,
               connected_at = excluded.connected_at, ended_at = excluded.ended_at, outcome = excluded.outcome,
               ended_by = excluded.ended_by, result = excluded.result, agent_id = excluded.agent_id,
               disposition = excluded.disposition, recording = excluded.recording",
        )
        .bind(call.id)
        .bind(call.campaign)
        .bind(call.lead)
        .bind(call.number)
        .bind(call.trunk)
        .bind(call.caller_id)
        .bind(if call.ended_at.is_some() { "ended" } else { "open" })
        .bind(call.placed_at)
        .bind(call.answered_at)
        .bind(call.connected_at)
        .bind(call.ended_at)
        .bind(call.outcome)
        .bind(call.ended_by)
        .bind(call.result)
        .bind(call.agent)
        .bind(call.disposition)
        .bind(call.recording.then_some("x.wav"))
        .execute(&mut self.conn)
        .await
        .unwrap();
        self.calls.insert(call.id, call);
    }

    async fn fill(&mut self, calls: usize) {
        sqlx::query("begin").execute(&mut self.conn).await.unwrap();
        for _ in 0..calls {
            let at = MORNING + self.random.random_range(0..400) * 60_000;
            let mut call = self.call(at);
            if self.random.random_range(0..10) > 0 {
                self.end(&mut call);
            }
            self.write(call).await;
        }
        sqlx::query("commit").execute(&mut self.conn).await.unwrap();
    }

    /// Some calls begin after all others, and some that were up end.
    async fn go_on(&mut self) {
        // Not for ever: the oldest first would never end.
        let begun = if self.calls.len() < 1_500 { self.random.random_range(0..4) } else { 0 };
        for _ in 0..begun {
            let last = self.calls.values().map(|call| call.placed_at).max().unwrap_or_default();
            let at = last + self.random.random_range(0..2) * 1_000;
            let call = self.call(at);
            self.write(call).await;
        }
        let up: Vec<i64> = self.calls.values().filter(|it| it.ended_at.is_none()).map(|it| it.id).collect();
        for id in up.into_iter().take(2) {
            let mut call = self.calls[&id].clone();
            self.end(&mut call);
            self.write(call).await;
        }
    }

    /// Each filter is set now and then.
    fn filter(&mut self) -> CallFilter {
        let mut it = CallFilter::of(Scope::first());
        let begin = MORNING;
        let set = |random: &mut ChaCha8Rng| random.random_range(0..6) == 0;
        let random = &mut self.random;
        let of = |random: &mut ChaCha8Rng, words: &[&str]| {
            Some(words[random.random_range(0..words.len())].to_owned())
        };
        if set(random) {
            it.from = Some(begin + random.random_range(0..300) * 60_000);
        }
        if set(random) {
            it.until = Some(begin + random.random_range(100..400) * 60_000);
        }
        if set(random) {
            it.campaign = Some(CampaignId(self.campaigns[random.random_range(0..2)]));
        }
        if set(random) {
            let agents = vec![AgentId(random.random_range(1..4))];
            it.group = Some(GroupCalls { agents, campaigns: vec![CampaignId(self.campaigns[0])] });
        }
        if set(random) {
            it.seen = Some((1..random.random_range(1..4)).map(AgentId).collect());
        }
        if set(random) {
            it.agent = Some(AgentId(random.random_range(1..4)));
        }
        if set(random) {
            it.outcome = of(random, OUTCOMES);
        }
        if set(random) {
            it.result = of(random, &["agree", "against"]);
        }
        if set(random) {
            it.trunk = of(random, &["main", "spare"]);
        }
        if set(random) {
            it.caller_id = Some(8_675_512_345_671);
        }
        if set(random) {
            it.disposition = of(random, &["voted", "later"]);
        }
        if set(random) {
            it.building = of(random, &["0", "1", "2"]);
        }
        if set(random) {
            it.lead = Some(LeadId(self.leads[random.random_range(0..self.leads.len())].0));
        }
        if set(random) {
            it.number = Some(number(random.random_range(0..8)));
        }
        if set(random) {
            it.ended_by = of(random, &["callee", "agent"]);
        }
        if set(random) {
            it.talk_min = Some(random.random_range(0..20) * 1_000);
        }
        if set(random) {
            it.talk_max = Some(random.random_range(5..30) * 1_000 + 999);
        }
        if set(random) {
            it.waited_min = Some(random.random_range(0..9) * 1_000);
        }
        if set(random) {
            it.recorded = Some(random.random_range(0..2) == 0);
        }
        if set(random) {
            it.missed = Some(random.random_range(0..2) == 0);
        }
        it
    }

    /// Ids of the calls that match now, in the order of the pages.
    fn expected(&self, filter: &CallFilter, order: CallOrder) -> Vec<i64> {
        let mut found: Vec<&Call> = self.calls.values().filter(|call| call.matches(filter)).collect();
        if !matches!(order, CallOrder::Newest | CallOrder::Oldest) {
            found.retain(|call| call.ended_at.is_some());
        }
        found.sort_by_key(|call| place(call, order));
        found.into_iter().map(|call| call.id).collect()
    }

    async fn reader(&self) -> Reader {
        self.fixture.store.reader().await.unwrap()
    }
}

/// What a call stands by in an order.
fn place(call: &Call, order: CallOrder) -> (i64, i64, i64) {
    let (talk, waited) = (call.talk().unwrap_or(0), call.waited().unwrap_or(0));
    match order {
        CallOrder::Newest => (0, -call.placed_at, -call.id),
        CallOrder::Oldest => (0, call.placed_at, call.id),
        CallOrder::Longest => (-talk, -call.placed_at, -call.id),
        CallOrder::Shortest => (talk, -call.placed_at, -call.id),
        CallOrder::Waited => (-waited, -call.placed_at, -call.id),
    }
}

async fn key(reader: &mut Reader, id: Option<i64>) -> Option<CallKey> {
    match id {
        Some(id) => reader.call_key(&Scope::first(), Default::default(), id).await.unwrap(),
        None => None,
    }
}

/// One page; every other search is late at once, and ends behind its first piece.
async fn page(
    log: &mut Log,
    filter: &CallFilter,
    order: CallOrder,
    before: Option<i64>,
    limit: usize,
) -> paceline::store::CallPage {
    let is_late = log.random.random_range(0..2) == 0;
    let mut reader = log.reader().await;
    if matches!(order, CallOrder::Newest | CallOrder::Oldest) {
        let after = key(&mut reader, before).await;
        let page = reader.call_page(filter, order, after, limit, &|| is_late).await.unwrap();
        assert!(is_late || page.searched_to.is_none(), "a search that has time goes to its end");
        return page;
    }
    reader.ranked_call_page(filter, order, before, limit, &|| false).await.unwrap().unwrap()
}

async fn turn_pages(log: &mut Log, limit: usize, goes_on: bool) {
    for _ in 0..FILTERS {
        let filter = log.filter();
        let order = CallOrder::ALL[log.random.random_range(0..CallOrder::ALL.len())].0;
        let first = log.expected(&filter, order);
        let (mut found, mut before, mut ever) = (Vec::new(), None, log.calls.clone());
        loop {
            let page = page(log, &filter, order, before, limit).await;
            assert!(page.calls.len() <= limit, "{filter:?}");
            if page.next.is_some() && page.calls.len() < limit {
                assert!(page.searched_to.is_some(), "a page that is not full says how far it is");
            }
            found.extend(page.calls);
            if goes_on {
                log.go_on().await;
                // A call may match before its end, or behind it.
                let ended = log.calls.values().filter(|call| call.matches(&filter)).cloned();
                ever.extend(ended.map(|call| (call.id, call)));
            }
            match page.next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        let places: Vec<_> = found.iter().map(|id| place(&ever[id], order)).collect();
        if !goes_on {
            assert_eq!(found, first, "{filter:?} {order:?}");
            let mut reader = log.reader().await;
            let counted = reader.count_calls(&filter, 10_000, &|| false).await.unwrap();
            assert_eq!(counted, (log.expected(&filter, CallOrder::Newest).len() as u64, true), "{filter:?}");
            let most = counted.0 / 2 + log.random.random_range(0..3);
            let bounded = if counted.0 > most { (most, false) } else { counted };
            assert_eq!(reader.count_calls(&filter, most, &|| false).await.unwrap(), bounded, "{filter:?}");
            continue;
        }
        if matches!(order, CallOrder::Newest | CallOrder::Oldest) {
            assert!(places.is_sorted_by(|a, b| a < b), "each once and in order: {filter:?} {order:?}");
        }
        let once: std::collections::BTreeSet<i64> = found.iter().copied().collect();
        assert_eq!(once.len(), found.len(), "no call twice: {filter:?} {order:?}");
        let now = log.expected(&filter, order);
        let stayed = first.iter().filter(|id| now.contains(id));
        assert!(stayed.clone().all(|id| once.contains(id)), "none is lost: {filter:?} {order:?}");
        assert!(found.iter().all(|id| ever[id].matches(&filter) || first.contains(id)), "{filter:?}");
    }
}

#[tokio::test]
async fn pages_by_any_filter_and_order_are_those_of_a_plain_model() {
    for limit in [1, 7, 100, 500] {
        let mut log = Log::new(SEED + limit as u64).await;
        log.fill(if limit == 1 { 60 } else { 900 }).await;
        turn_pages(&mut log, limit, false).await;
    }
}

#[tokio::test]
async fn no_call_is_twice_on_pages_or_missing_while_calls_come_and_end() {
    for limit in [3, 50] {
        let mut log = Log::new(SEED * limit as u64).await;
        log.fill(500).await;
        turn_pages(&mut log, limit, true).await;
    }
}

#[tokio::test]
async fn calls_outside_the_scope_are_in_no_page() {
    let mut log = Log::new(SEED).await;
    log.fill(50).await;
    let mut reader = log.reader().await;
    for scope in
        [Scope { enterprise: 2, organisations: vec![2] }, Scope { enterprise: 1, organisations: vec![7] }]
    {
        let filter = CallFilter::of(scope);
        let page = reader.call_page(&filter, CallOrder::Newest, None, 10, &|| false).await.unwrap();
        assert!(page.calls.is_empty() && page.next.is_none());
    }
}

/// Every source walks its own index, in either order, and sorts nothing that an index has in order.
#[tokio::test]
async fn pages_walk_the_index_of_their_source() {
    let mut log = Log::new(SEED).await;
    log.fill(200).await;
    for (source, index) in [
        ("a.enterprise_id = 1", "attempt_time"),
        ("a.campaign_id = 1", "attempt_campaign_time"),
        ("a.number = 8613800000000", "attempt_number"),
    ] {
        for (past, order) in [("<", "desc"), (">", "asc")] {
            let sql = format!(
                "explain query plan select a.id from attempt a cross join campaign c
                  where c.id = a.campaign_id and a.placed_at >= 0 and a.placed_at < 9999999999999 and {source}
                    and (a.placed_at, a.id) {past} (5, 5) order by a.placed_at {order}, a.id {order} limit 100"
            );
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&mut log.conn).await.unwrap();
            let details: Vec<&str> = plan.iter().map(|row| row.3.as_str()).collect();
            assert!(details[0].contains(&format!("INDEX {index} ")), "{source}: {details:?}");
            assert!(!details.iter().any(|detail| detail.contains("ORDER BY")), "{source}: {details:?}");
        }
    }
}
