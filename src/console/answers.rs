//! Shapes of the API's answers, for the OpenAPI document. The handlers build their JSON in `views` and beside
//! the queries; tests validate every answer against these types, so the two cannot differ.

pub use super::accounts::Preferences;
pub use super::call_answers::*;
pub use super::call_detail_answers::*;
pub use super::caller_id_answers::*;
pub use super::campaign_answers::*;
pub use super::desk_answers::*;
pub use super::export_answers::*;
pub use super::lead_answers::*;
pub use super::pacing_answers::*;
pub use super::sums_answers::*;
pub use super::trunk_answers::*;
pub use super::upload_answers::*;
pub use super::vote_answers::*;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The schema of an answer: fields that may be empty are present and `null`, others are never left out.
pub(super) fn schema<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// A type whose schema is written by hand.
macro_rules! by_hand {
    ($($(#[$doc:meta])* $name:ident = $schema:expr;)+) => {$(
        $(#[$doc])*
        pub struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                Schema::try_from($schema).unwrap_or_default()
            }
        }
    )+};
}

pub(super) use by_hand;

by_hand! {
    /// RFC 3339, in UTC.
    Moment = json!({ "type": "string", "format": "date-time" });
    /// Always `true`.
    Yes = json!({ "type": "boolean", "const": true });
    /// Always `false`.
    No = json!({ "type": "boolean", "const": false });
    /// A share, 0 to 1.
    Share = json!({ "type": "number", "minimum": 0, "maximum": 1 });
    Role = json!({ "type": "string", "enum": ["agent", "lead", "manager", "analyst", "auditor", "admin"] });
    SettingSource = json!({ "type": "string", "enum": ["default", "file", "environment"] });
    OrganisationState = json!({ "type": "string", "enum": ["active", "suspended"] });
    ActorKind = json!({ "type": "string", "enum": ["person", "program", "system"] });
    LanguageWord = json!({ "type": "string", "enum": ["zh", "en"] });
    ScopeWord = json!({ "type": "string", "enum": ["system", "campaign"] });
    /// `out` and `in` are messages, `note` is what else happened, `gap` stands for steps left out.
    StepDirection = json!({ "type": "string", "enum": ["out", "in", "note", "gap"] });
    Direction = json!({ "type": "string", "enum": ["out", "in"] });
}

/// Declares answers: every field is public, and no other field is sent.
macro_rules! answers {
    ($($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident: $type:ty,)* })+) => {$(
        $(#[$meta])*
        #[derive(JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct $name {
            $($(#[$fmeta])* pub $field: $type,)*
        }
    )+};
}

pub(super) use answers;

answers! {
    /// A sentence in English and in Chinese.
    Words { en: String, zh: String, }
    /// What to do, in English and in Chinese, where there is something to do.
    Advice { en: Option<String>, zh: Option<String>, }

    MembershipView { group: Option<String>, priority: u8, in_use: bool, }
    Account {
        number: String,
        name: String,
        login: String,
        role: Role,
        groups: Vec<MembershipView>,
        skills: Vec<String>,
        telephone: Option<String>,
        recorded: bool,
        /// Whether the account runs the installation.
        operator: bool,
        /// User name of the agent's phone.
        phone_user: Option<String>,
        created_at: Moment,
        /// Rises with each change; the ETag is `"v"` and this number.
        version: i64,
    }
    OrganisationName { slug: String, name: String, }
    SetupStatus {
        /// Whether nobody can sign in yet.
        needs_account: bool,
        /// Whether there are several enterprises, so that people sign in as `login@slug`.
        organisations: bool,
    }
    OwnAccount {
        number: String,
        name: String,
        login: String,
        role: Role,
        groups: Vec<MembershipView>,
        skills: Vec<String>,
        telephone: Option<String>,
        recorded: bool,
        phone_user: Option<String>,
        created_at: Moment,
        version: i64,
        program: No,
        /// Words of what the caller may do; screens draw by them.
        rights: Vec<String>,
        organisation: OrganisationName,
        /// Whether the account runs the installation.
        operator: bool,
        preferences: Preferences,
        /// The end of the session, unless it is used.
        until: Option<Moment>,
        /// When the password is asked for again.
        password_asked_at: Option<Moment>,
        locked: bool,
    }
    Program {
        role: Role,
        program: Yes,
        rights: Vec<String>,
        organisation: OrganisationName,
        operator: bool,
    }
    Agents { agents: Vec<Account>, }
    /// The settings that the agent types into the phone; the password is shown once.
    Sheet { user: String, password: String, domain: String, proxy: String, transport: String, }
    AgentAdded {
        agent: Account,
        /// The console's password, if it was drawn; shown once.
        #[serde(skip_serializing_if = "Option::is_none")]
        password: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        sheet: Option<Sheet>,
    }
    AgentRefused { problem: ProblemDocument, }
    AgentBatch { items: Vec<BatchRow>, }
    SessionView {
        since: Moment,
        used_at: Moment,
        password_typed_at: Moment,
        until: Moment,
        address: String,
        /// The browser's own name.
        browser: String,
        locked: bool,
        /// Whether this request came with it.
        current: bool,
    }
    Sessions { items: Vec<SessionView>, }
    AgentLogRow {
        at: Moment,
        secs: i64,
        state: String,
        availability: String,
        activity: String,
        /// Of a pause.
        reason: Option<String>,
        campaign: Option<String>,
        attempt: Option<i64>,
        inbound: bool,
    }
    AgentLog { day: String, items: Vec<AgentLogRow>, }
    /// Seconds by state; time signed out is left out.
    AgentDay { day: String, secs: BTreeMap<String, u64>, }
    AgentHours { items: Vec<AgentDay>, }
    PhonePassword { sheet: Sheet, }
    ConsolePassword {
        /// Only if it was drawn; shown once.
        #[serde(skip_serializing_if = "Option::is_none")]
        password: Option<String>,
    }

    GroupAnswer {
        name: String,
        telephones: bool,
        announce_number: bool,
        idle_release_secs: Option<u64>,
        work_mode: Option<String>,
        seats: Option<u32>,
        version: i64,
    }
    GroupWithMembers {
        name: String,
        telephones: bool,
        announce_number: bool,
        idle_release_secs: Option<u64>,
        work_mode: Option<String>,
        seats: Option<u32>,
        version: i64,
        /// Agent numbers.
        members: Vec<String>,
    }
    Groups { groups: Vec<GroupWithMembers>, }

    PhoneLink {
        contacts: u64,
        address: String,
        transport: String,
        product: String,
        latency_ms: Option<u64>,
    }
    PartyView {
        /// A number as text: it may exceed what JavaScript holds exactly.
        leg: String,
        kind: String,
        agent: Option<String>,
        number: Option<String>,
        up: bool,
        held: bool,
    }
    CallbackView { at: Moment, own: bool, skill: Option<String>, }
    SummaryView { disposition: String, note: String, callback: Option<CallbackView>, }
    WorkView {
        campaign: Option<String>,
        lead: Option<i64>,
        number: Option<String>,
        attempt: Option<i64>,
        inbound: bool,
        answered_at: Option<Moment>,
        connected_at: Option<Moment>,
        parties: Vec<PartyView>,
        recording: bool,
        summary: Option<SummaryView>,
    }
    SupervisingView { agent: Option<String>, how: String, }
    TelephoneEndpoint { telephone: String, }
    Seat {
        /// The agent's number.
        agent: String,
        name: Option<String>,
        availability: String,
        /// Of a pause.
        reason: Option<String>,
        activity: String,
        since: Moment,
        signed_in_at: Option<Moment>,
        groups: Vec<String>,
        work_mode: String,
        endpoint: EndpointView,
        holding: String,
        phone_ready: bool,
        leg_up: bool,
        phone: Option<PhoneLink>,
        /// Why no calls are offered, where that is not by availability.
        quiet: Option<String>,
        /// Why the store refused the last call that the agent asked for.
        refused: Option<String>,
        /// The same as a sentence.
        refused_words: Option<Words>,
        work: Option<WorkView>,
        muted: bool,
        until: Option<Moment>,
        leaving: bool,
        supervising: Option<SupervisingView>,
        /// What the agent may do now: words of the actions.
        can: Vec<String>,
        answered: u64,
        talked_secs: f64,
    }
    /// Why a trunk, or a region on it, rests: the line refuses our calls.
    LineRest {
        /// `null` = known from the store alone.
        trunk: Option<String>,
        /// Digits with which the numbers of a resting region begin; `null` = the whole trunk rests.
        region: Option<String>,
        /// Whether no trunk is left.
        all: bool,
        /// How the calls ended.
        fault: Option<String>,
        sip_code: Option<u16>,
        /// Calls in a row that ended so.
        calls: Option<u64>,
        /// When new leads try it again; `null` = some are out now.
        until: Option<Moment>,
        words: Words,
        advice: Advice,
    }
    AbandonRule {
        rule: String,
        abandoned: f64,
        of: f64,
        rate: f64,
        upper: f64,
        /// Whether this rule brakes.
        chosen: bool,
        /// How many more callees may be abandoned before its rate is above the ceiling.
        left: u64,
    }
    AbandonView {
        rules: Vec<AbandonRule>,
        strictest: String,
        ceiling: Share,
        /// How many more callees may be abandoned.
        left: u64,
    }
    CampaignFigures {
        id: i64,
        name: String,
        title: Option<String>,
        mode: Option<String>,
        group: Option<String>,
        /// Counters of the dialer and the numbers behind its decision.
        view: BTreeMap<String, Value>,
        why: Option<String>,
        words: Words,
        line: Option<LineRest>,
        placed: u64,
        ended: u64,
        outcomes: BTreeMap<String, u64>,
        results: BTreeMap<String, u64>,
        calls_per_sec: f64,
        answer_rate: Option<Share>,
        abandon_rate: Option<f64>,
        abandon: Option<AbandonView>,
        /// Each lead once: those in `view.leads_open` and those that ended.
        leads: u64,
        leads_ended: u64,
        finished: bool,
        opened_at: Moment,
        state: CampaignStateWord,
        waiting_for: Vec<WaitingFor>,
    }
    Floor {
        at: Moment,
        seats: Vec<Seat>,
        campaigns: Vec<CampaignFigures>,
        trunks: Vec<TrunkView>,
        store: String,
    }
    DispositionView {
        code: String,
        label: String,
        state: String,
        do_not_call: bool,
        wrong_number: bool,
        machine: bool,
    }
    Workplace {
        name: String,
        title: String,
        mode: String,
        group: Option<String>,
        wrap_up: Option<String>,
        wrap_up_secs: Option<u64>,
        preview: Option<Value>,
        dispositions: Vec<DispositionView>,
        disposition_required: Option<bool>,
        /// Code that is noted for a conversation without a summary.
        disposition_default: Option<String>,
        /// Which conversations are recorded: `on_demand` = where the agent asks for it.
        recorded: Option<String>,
        /// Moments of callbacks are in this time zone.
        timezone: String,
        /// When numbers may be called; none = at any time.
        windows: Vec<DeskWindow>,
    }

    Done { done: Yes, }
    UndoneImport { file: String, rows: u64, }
    Taken {
        taken: Yes,
        /// The list that `undo_import` removed.
        #[serde(skip_serializing_if = "Option::is_none")]
        import: Option<UndoneImport>,
        /// The attempt of `test_call`, as `/calls` has it.
        #[serde(skip_serializing_if = "Option::is_none")]
        attempt: Option<i64>,
    }
    ListChangeBegun { change: u64, }
    ListChangeState {
        /// `running`, `done` or `refused`.
        state: String,
        /// What was changed, once it is done.
        result: Option<Value>,
        /// Why it was refused, in words.
        why: Option<String>,
    }
    DeviceCheckResult { measured: BTreeMap<String, Value>, quality: QualityView, }
    QualityView { grade: String, fault: Option<String>, }

    CampaignWhy {
        campaign: String,
        mode: String,
        at: Moment,
        /// Whether the campaign is open in this service.
        open: bool,
        why: Option<String>,
        limit: Option<String>,
        until: Option<Moment>,
        view: Option<BTreeMap<String, Value>>,
        leads_open: u64,
        due: u64,
        next_due: Option<Moment>,
        line: Option<LineRest>,
        words: Words,
        advice: Advice,
    }
    LeadWhyAnswer {
        campaign: String,
        lead: i64,
        row: u64,
        name: Option<String>,
        numbers: Vec<String>,
        state: String,
        at: Moment,
        because: String,
        until: Option<Moment>,
        ahead: Option<u64>,
        reason: Option<String>,
        words: Words,
        advice: Advice,
        turn: CampaignWhy,
    }
    LeadFound {
        id: i64,
        row: i64,
        name: Option<String>,
        state: String,
        numbers: Vec<Option<String>>,
    }
    LeadLookUp { leads: Vec<LeadFound>, }
    LastCall { at: Option<Moment>, outcome: String, disposition: Option<String>, }
    LeadCallback {
        at: Option<Moment>,
        /// The number of the agent for whom it is booked.
        agent: Option<String>,
    }
    LeadRow {
        lead: i64,
        row: i64,
        /// The file of its import.
        list: Option<String>,
        name: Option<String>,
        /// Other leads of the flat.
        households: i64,
        /// The household as the list has it.
        place: Option<String>,
        building: Option<String>,
        /// In dialling order.
        numbers: Vec<String>,
        state: String,
        reason: Option<String>,
        attempts: i64,
        /// Attempts that each number may have.
        attempts_max: Option<u32>,
        last: Option<LastCall>,
        next_at: Option<Moment>,
        callback: Option<LeadCallback>,
        /// The number of the agent who alone calls this lead.
        assigned_agent: Option<String>,
        /// From the stored facts; `GET …/leads/{lead}/why` is exact.
        because: Words,
    }
    LeadCount {
        n: u64,
        /// Whether there are no more: counted up to 10,000, and for two seconds at most.
        exact: bool,
    }
    LeadTable {
        leads: Vec<LeadRow>,
        /// For `after`. A page that took too long has fewer leads than asked, and the next one goes on there.
        next: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        count: Option<LeadCount>,
    }

    Column { column: String, cell: String, }
    PhoneView {
        number: Option<String>,
        /// As the list has it.
        given: String,
        attempts: i64,
        last_outcome: Option<String>,
        last_at: Option<Moment>,
        closed: bool,
    }
    CorrectionView {
        agent: Option<String>,
        at: Moment,
        field: String,
        /// Empty for what was added.
        was: Option<String>,
        now: String,
        attempt: Option<i64>,
    }
    HistoryView {
        attempt: Option<i64>,
        leg: Option<String>,
        lead: Option<i64>,
        name: Option<String>,
        number: Option<String>,
        at: Moment,
        answered_at: Option<Moment>,
        connected_at: Option<Moment>,
        ended_at: Option<Moment>,
        outcome: Option<String>,
        result: Option<String>,
        agent: Option<String>,
        agent_name: Option<String>,
        disposition: Option<String>,
        note: Option<String>,
        recorded: bool,
    }
    Lead {
        id: i64,
        campaign: String,
        list_row: i64,
        household: Option<String>,
        name: Option<String>,
        state: String,
        reason: Option<String>,
        attempts: i64,
        last_outcome: Option<String>,
        last_at: Option<Moment>,
        next_at: Option<Moment>,
        result: Option<String>,
        disposition: Option<String>,
        callback_agent: Option<String>,
        callback_skill: Option<String>,
        columns: Vec<Column>,
        phones: Vec<PhoneView>,
        corrections: Vec<CorrectionView>,
        /// Calls of the household, the newest first.
        history: Vec<HistoryView>,
    }
    CallView {
        id: i64,
        direction: Direction,
        campaign: Option<String>,
        lead: Option<i64>,
        name: Option<String>,
        /// Of the lead.
        building: Option<String>,
        number: Option<String>,
        at: Moment,
        answered_at: Option<Moment>,
        connected_at: Option<Moment>,
        ended_at: Option<Moment>,
        /// The wait for an agent, whether one came or not; `null` = nobody waited.
        waited_ms: Option<i64>,
        /// The other side waited for an agent and none came.
        missed: bool,
        /// Which attempt at the lead it was; `null` of an inbound call, as the two below it.
        ordinal: Option<i64>,
        trunk: Option<String>,
        /// The number that was shown.
        caller_id: Option<String>,
        outcome: Option<String>,
        result: Option<String>,
        ended_by: Option<String>,
        cause: String,
        /// The program's own words in both languages; a carrier's stay.
        cause_words: Words,
        agent: Option<String>,
        agent_name: Option<String>,
        disposition: Option<String>,
        note: Option<String>,
        recorded: bool,
        /// Path of the recording.
        recording: Option<String>,
    }
    Calls {
        calls: Vec<CallView>,
        /// `before` of the next page; empty on the last.
        next: Option<i64>,
        /// The search took long and ended at this moment: it goes on with `next`.
        searched_to: Option<Moment>,
        /// Only where it was asked for.
        count: Option<CallCount>,
        /// The span of the calls; `null` = without a bound.
        from: Option<Moment>,
        until: Option<Moment>,
        /// Of an empty answer: when the last call before the span was.
        earlier: Option<Moment>,
    }

    StepView {
        /// Milliseconds since the INVITE.
        at_ms: u32,
        /// By the same clock as the moments of the call's timeline.
        at: Moment,
        dir: StepDirection,
        /// `INVITE sip:…`, `180 Ringing`, `200 OK (BYE)`; of a note its word and numbers: `key 1 rtp`.
        text: String,
        /// The message repeats an earlier one.
        again: bool,
        /// Where an INVITE went: `udp 198.51.100.7:5060`.
        peer: Option<String>,
        /// What it means; `null` = the text says it.
        words: Option<Words>,
    }
    Trace {
        attempt: i64,
        campaign: String,
        trunk: String,
        number: Option<String>,
        lead: Option<i64>,
        at: Moment,
        ringing_at: Option<Moment>,
        answered_at: Option<Moment>,
        /// Empty while the call is live.
        ended_at: Option<Moment>,
        outcome: Option<String>,
        sip_code: Option<i64>,
        cause: String,
        cause_words: Words,
        ended_by: Option<String>,
        steps: Vec<StepView>,
        /// What the call means, once it has ended.
        words: Option<Words>,
        advice: Option<Advice>,
    }
    /// The attempt of a test call; its trace grows while it is live.
    TestCallPlaced { attempt: i64, }

    BlacklistEntryView {
        id: i64,
        /// `+8613800138000`, or a range: `+861380013*`.
        number: String,
        scope: ScopeWord,
        /// The campaign's name, of an entry of one campaign.
        campaign: Option<String>,
        source: String,
        reason: Option<String>,
        added_by: Option<String>,
        /// The first moment at which the entry no longer holds.
        until: Option<Moment>,
        added_at: Moment,
    }
    BlacklistPage {
        items: Vec<BlacklistEntryView>,
        /// `after` of the next page; empty on the last.
        next: Option<i64>,
    }
    BlacklistAdded {
        /// Entries that this source did not have before.
        added: u64,
        /// Open leads that have no other number left.
        leads_closed: u64,
    }
    BlacklistRemoved { removed: u64, }

    HealthCheck { code: String, ok: bool, words: Words, value: Option<Value>, }
    Setting {
        /// `http.listen`, `trunks.main.uri`
        key: String,
        /// Empty for a secret that is set.
        value: Option<Value>,
        source: SettingSource,
        /// The file or the environment variable.
        from: Option<String>,
    }
    Settings { version: String, items: Vec<Setting>, }
    Health { ok: bool, at: Moment, checks: Vec<HealthCheck>, }
    OrganisationSettings {
        analysts_read_numbers: bool,
        agents_add_leads: bool,
        approve_lists: bool,
        approve_audio: bool,
        approve_caller_ids: bool,
        flagged_numbers_stay: bool,
    }
    Organisation {
        slug: String,
        name: String,
        /// Slug of the enterprise that it is a part of.
        parent: Option<String>,
        state: OrganisationState,
        settings: OrganisationSettings,
        /// People who may decide approvals; nobody decides on their own work.
        approval_deciders: u64,
        version: i64,
    }
    Organisations { items: Vec<Organisation>, }
    /// The password is shown once.
    NewAdminView { number: String, login: String, password: String, }
    OrganisationAdded { organisation: Organisation, admin: NewAdminView, }
    PauseLabel { zh: String, en: String, }
    PauseReasonView { code: String, label: PauseLabel, max_secs: Option<u32>, }
    PauseReasonsView {
        items: Vec<PauseReasonView>,
        /// Whether the organisation chose them; else they are built in.
        own: bool,
        version: i64,
    }

    AuditRow {
        id: i64,
        at: Moment,
        actor_kind: ActorKind,
        /// Number and name, or the token's name.
        actor: String,
        address: String,
        /// What was done: a word of the rights, or the route's own.
        action: String,
        subject_kind: String,
        subject: String,
        /// Without secrets; telephone numbers are masked.
        before: Option<Value>,
        after: Option<Value>,
    }
    AuditPage {
        items: Vec<AuditRow>,
        /// `after` of the next page; empty on the last.
        next: Option<i64>,
    }

    TokenView {
        id: i64,
        name: String,
        role: Role,
        created_at: Moment,
        expires_at: Option<Moment>,
        expired: bool,
        /// Actions of those that the role may do; empty = all of them.
        scopes: Option<Vec<String>>,
        /// Number of the account that made it.
        made_by: Option<String>,
        /// To the minute.
        used_at: Option<Moment>,
        version: i64,
    }
    Tokens { tokens: Vec<TokenView>, }
    /// The token is shown once.
    TokenAdded { row: TokenView, token: String, }

    FieldFault {
        /// A JSON pointer to the field.
        at: String,
        code: String,
        params: BTreeMap<String, Value>,
        words: Words,
    }
    /// A problem document (RFC 9457).
    ProblemDocument {
        /// `urn:paceline:problem:` and the code.
        r#type: String,
        title: String,
        status: u16,
        /// What is wrong and what to do, for people.
        detail: String,
        /// One word a program can act on.
        code: String,
        /// A word for this refusal, which the service's log has too.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Faults by field.
        #[serde(skip_serializing_if = "Option::is_none")]
        errors: Option<Vec<FieldFault>>,
        /// Of `forbidden`: the right that is missing.
        #[serde(skip_serializing_if = "Option::is_none")]
        right: Option<String>,
        /// Of `changed`: the present version.
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<i64>,
        /// Of `wrong_state`: the present state.
        #[serde(skip_serializing_if = "Option::is_none")]
        state: Option<String>,
        /// Of `phone_taken`: number and name of the agent who works on it.
        #[serde(skip_serializing_if = "Option::is_none")]
        used_by: Option<String>,
        /// Of `busy`: the task to wait for.
        #[serde(skip_serializing_if = "Option::is_none")]
        task: Option<i64>,
        /// Of `set_in_file`: the line in it.
        #[serde(skip_serializing_if = "Option::is_none")]
        line: Option<u64>,
        /// Of `in_use`: the campaigns that use it.
        #[serde(skip_serializing_if = "Option::is_none")]
        campaigns: Option<Vec<String>>,
        /// Of `called`: how many calls were made. Of `in_use`: how many are up.
        #[serde(skip_serializing_if = "Option::is_none")]
        calls: Option<u64>,
        /// Of `count_needed`: how many are removed.
        #[serde(skip_serializing_if = "Option::is_none")]
        count: Option<u64>,
        /// Of `too_many_rows`: the sheets that the rows need.
        #[serde(skip_serializing_if = "Option::is_none")]
        sheets: Option<u64>,
        /// Of `changed`, where it is known: what stands now.
        #[serde(skip_serializing_if = "Option::is_none")]
        present: Option<PresentVersion>,
        /// Of `not_ready` and `not_approved`: what stops the start.
        #[serde(skip_serializing_if = "Option::is_none")]
        items: Option<Vec<ChecklistItem>>,
        /// Of `not_approved`.
        #[serde(skip_serializing_if = "Option::is_none")]
        waiting_for: Option<Vec<WaitingFor>>,
        /// Of `not_approved`, about a caller ID: who may decide.
        #[serde(skip_serializing_if = "Option::is_none")]
        who: Option<Words>,
        /// Of `changed_in_both`: the campaign file.
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<String>,
        /// Of refusals to change a lead: its id.
        #[serde(skip_serializing_if = "Option::is_none")]
        lead: Option<i64>,
        /// Of `duplicate`: the row of the lead that has the number.
        #[serde(skip_serializing_if = "Option::is_none")]
        row: Option<i64>,
        /// Of `no_forecast`: why, in both languages.
        #[serde(skip_serializing_if = "Option::is_none")]
        words: Option<Words>,
        /// Of `sample_there` and `sample_over`: the sample campaign, and its page.
        #[serde(skip_serializing_if = "Option::is_none")]
        campaign: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        href: Option<String>,
        /// Of `wrong_code`.
        #[serde(skip_serializing_if = "Option::is_none")]
        tries_left: Option<u32>,
    }
}

/// The caller's account, or for a bearer token its role.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Me {
    Person(Box<OwnAccount>),
    Program(Program),
}

/// An account of a batch, or why it was not added.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum BatchRow {
    Added(Box<AgentAdded>),
    Refused(Box<AgentRefused>),
}

/// Leads by number or row, or a page of the table.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum LeadsFound {
    Table(LeadTable),
    LookUp(LeadLookUp),
}

/// Figures for those who lead or read; dispositions for agents.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Campaigns {
    ForManagers(CampaignsForManagers),
    ForAgents(CampaignsForAgents),
}

/// `"phone"`, or the telephone that is called for each shift.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum EndpointView {
    Word(String),
    Telephone(TelephoneEndpoint),
}
