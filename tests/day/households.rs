//! Lists with several owners a flat: calls to one of them let the others of the flat wait, and nobody else.

use super::*;

#[test]
fn several_owners_a_flat_do_not_slow_the_calls_down() {
    for owners in [1, 2, 5] {
        let mut plan = Plan::from_seed(7, 6_000);
        for (lead, n) in plan.leads.iter_mut().zip(0..) {
            lead.household = Some(HouseholdId(1 + n / owners));
        }
        plan.troubles = Troubles::default();
        plan.people = Arc::new(Population::default());
        plan.trunks.truncate(1);
        (plan.trunks[0].calls_max, plan.trunks[0].calls_per_sec) = (2_000, 50.0);
        let campaign = &mut plan.campaign;
        campaign.trunks.truncate(1);
        (campaign.concurrency_max, campaign.calls_per_sec) = (None, Some(20.0));
        campaign.caller_ids = CallerIdRules::default();
        campaign.windows = CallingWindows {
            timezone: "Asia/Shanghai".into(),
            windows: vec![DayWindow { days: [true; 7], from_minute: 0, to_minute: 24 * 60 }],
            ..CallingWindows::default()
        };
        let mut day = plan.day();
        day.run(Time::ZERO + MINUTE * 2);
        let placed = day.store.attempts().count();
        assert!(placed > 2_200, "{owners} owners a flat: {placed} calls in two minutes at 20 a second");
    }
}
