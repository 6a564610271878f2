//! Shapes of the answers about a campaign's results and its vote.

use super::answers::{Moment, Words, answers, by_hand};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeMap;

by_hand! {
    StandingWord = json!({ "type": "string", "enum": ["open", "certain", "out_of_reach"] });
    VoiceWord = json!({ "type": "string", "enum": ["agree", "against", "abstain"] });
    JointRule = json!({ "type": "string", "enum": ["one", "each"] });
    /// `differing`: joint owners said different things. `open`: nobody has said anything, and one may still be reached.
    SaidWord = json!({ "type": "string", "enum": ["agree", "against", "abstain", "differing", "open", "silent"] });
}

answers! {
    /// `took_part` is the sum of the four after it.
    VoteHeadsTally {
        total: u64,
        took_part: u64,
        agree: u64,
        against: u64,
        abstain: u64,
        /// Joint owners who said different things.
        differing: u64,
        /// Of those who have said nothing: what the campaign may still reach.
        open: u64,
    }
    /// The same in square metres.
    VoteAreaTally {
        total: f64,
        took_part: f64,
        agree: f64,
        against: f64,
        abstain: f64,
        differing: f64,
        open: f64,
    }
    VoteThresholds { joint: JointRule, quorum_heads: String, quorum_area: String, majority: String, }
    /// `null` = no flat has an area.
    VoteReached {
        quorum_heads: bool,
        quorum_area: Option<bool>,
        agree_heads: bool,
        agree_area: Option<bool>,
    }
    VoteNeeds {
        quorum_heads: u64,
        quorum_area: Option<f64>,
        /// Of those who took part.
        agree_heads: u64,
        agree_area: Option<f64>,
    }
    VoteCount {
        heads: VoteHeadsTally,
        /// `null` = no flat has one, and heads alone decide.
        area: Option<VoteAreaTally>,
        thresholds: VoteThresholds,
        reached: VoteReached,
        still_needed: VoteNeeds,
        standing: StandingWord,
        /// The campaign drains once the vote is certain or out of reach.
        stop: bool,
        flats: u64,
        /// They count by heads alone.
        flats_without_area: u64,
        as_of: Moment,
        words: Words,
    }

    VoteFlat { name: Option<String>, area: Option<f64>, }
    VoteOwner {
        lead: i64,
        row: i64,
        name: Option<String>,
        voice: Option<VoiceWord>,
        /// Of a key, and of an agent's last summary.
        result: Option<String>,
        disposition: Option<String>,
        /// The campaign may still reach this owner.
        open: bool,
    }
    /// Owners who count as one, with all their flats.
    VoteHead { flats: Vec<VoteFlat>, owners: Vec<VoteOwner>, area: Option<f64>, said: SaidWord, }
    VoteHeads {
        items: Vec<VoteHead>,
        /// `after` of the next page.
        next: Option<i64>,
    }

    /// Sums over the leads of a campaign. Every row of its lists is a lead or was refused.
    CampaignSums {
        rows: u64,
        leads: u64,
        refused: u64,
        /// Refused rows by reason.
        refused_by: BTreeMap<String, u64>,
        /// Leads by state, and closed leads by the reason that ended them without another call.
        states: BTreeMap<String, u64>,
        reasons: BTreeMap<String, u64>,
        /// Leads by the result that a key set.
        results: BTreeMap<String, u64>,
        /// Leads by the code of their last summary.
        dispositions: Vec<DispositionSum>,
        /// Leads by building, in the order of the buildings' names.
        buildings: Vec<BuildingSum>,
        as_of: Moment,
    }
    BuildingSum {
        /// `null` = the list names none.
        building: Option<String>,
        leads: u64,
        states: BTreeMap<String, u64>,
        results: BTreeMap<String, u64>,
    }
    DispositionSum { code: String, label: String, leads: u64, }
}
