//! Four organisations in one service with the same subjects in each: an enterprise, two parts of it, and another
//! enterprise. Each subject bears the mark of its organisation, and telephone numbers stand where people put them.

use super::super::*;
use crate::store::floor::{leg, said, seat, spoken};
use crate::store::{opening, request};
use paceline::console::routes::ROUTES;
use paceline::engine::{CampaignBoard, TrunkBoard};
use paceline::store::saved_views::SavedView;
use paceline::store::task_rows::TaskId;
use paceline::store::trunks::TrunkSource;
use paceline::store::{Actor, ActorKind, Command, NewToken, Reply, Scope, Subject};
use paceline_core::agent::{Activity, Availability, CallSummary, Party, PartyKind, SeatView, Work};
use paceline_core::dialer::output::LegKind;
use paceline_core::ids::{CallId, LeadId, TrunkId};
use paceline_core::number::PhoneNumber;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// The organisations' places in [`World::organisations`].
pub const MAIN: usize = 0;
pub const EAST: usize = 1;
pub const WEST: usize = 2;
pub const OTHER: usize = 3;

/// Slug of each; it is in the name of everything that belongs to it and to nothing else.
const SLUGS: [&str; 4] = ["main", "zeast", "zwest", "zother"];
const MARKS: [&str; 4] = ["zmain", "zeast", "zwest", "zother"];

pub const ROLES: [(char, Role); 6] = [
    ('a', Role::Agent),
    ('l', Role::Lead),
    ('m', Role::Manager),
    ('y', Role::Analyst),
    ('u', Role::Auditor),
    ('x', Role::Admin),
];

/// Telephone numbers of one organisation's list.
const NUMBERS: usize = 24;

/// One way in: a person's cookie or a program's token.
#[derive(Clone, Debug)]
pub struct Caller {
    pub organisation: usize,
    pub letter: char,
    /// The cookie's session, or the token.
    pub key: String,
    pub is_program: bool,
    /// The one action that the token's scopes leave out.
    pub lacks: Option<&'static str>,
}

pub struct Organisation {
    pub mark: &'static str,
    pub scope: Scope,
    pub people: Vec<Caller>,
    pub programs: Vec<Caller>,
    /// What stands for each parameter of a path, by the parameter and the resource before it.
    pub subjects: BTreeMap<&'static str, String>,
    pub numbers: Vec<String>,
    pub campaign: CampaignId,
    pub seat: Arc<SeatView>,
    pub task: TaskId,
}

pub struct World {
    pub app: TestApp,
    pub organisations: Vec<Organisation>,
    asked: AtomicU64,
}

/// A body to be sent.
#[derive(Clone, Debug)]
pub enum Payload {
    Empty,
    Json(Value),
    File(Vec<u8>),
}

fn number(organisation: usize, n: usize) -> String {
    let prefix = ["138", "139", "137", "136", "135", "150", "151", "188"][n % 8];
    format!("{prefix}{:08}", 31_415_926 + organisation * 7_654_321 + n * 1_618_033)
}

fn parsed(number: &str) -> PhoneNumber {
    PhoneNumber::chinese(number.as_bytes()).unwrap()
}

/// `138 3141 5926`, with this between its parts.
fn parted(number: &str, sign: &str) -> String {
    format!("{}{sign}{}{sign}{}", &number[..3], &number[3..7], &number[7..])
}

fn wide(number: &str) -> String {
    number.chars().map(|c| char::from_u32(c as u32 - '0' as u32 + 0xff10).unwrap()).collect()
}

/// Whether the route of this path asks for an `Idempotency-Key`.
fn needs_key(method: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let fits = |template: &str| {
        template.split('/').count() == path.split('/').count()
            && template
                .split('/')
                .zip(path.split('/'))
                .all(|(part, given)| part.starts_with('{') || part == given)
    };
    let mut routes = ROUTES.iter().filter(|route| route.method == method && fits(route.path));
    routes.any(paceline::console::idempotency::needs_key)
}

/// Names of sounds are unique in an enterprise.
fn shared(place: usize) -> &'static str {
    ["shared.wav", "east.wav", "west.wav", "shared.wav"][place]
}

/// A WAV file of a second.
fn tone() -> Vec<u8> {
    let samples = (0..8_000_u32).map(|n| ((f64::from(n) * 0.35).sin() * 9_000.0) as i16);
    let samples: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let mut sound = b"RIFF".to_vec();
    sound.extend((36 + samples.len() as u32).to_le_bytes());
    sound.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
    sound.extend((samples.len() as u32).to_le_bytes());
    sound.extend(samples);
    sound
}

fn system(enterprise: i64) -> Actor {
    let (name, address) = ("test".to_owned(), String::new());
    Actor { kind: ActorKind::System, id: None, name, address, enterprise, key: None }
}

impl World {
    pub async fn new() -> World {
        let app = TestApp::new().await;
        let mut world = World { app, organisations: Vec::new(), asked: AtomicU64::new(0) };
        for place in 0..SLUGS.len() {
            let organisation = world.found(place).await;
            world.organisations.push(organisation);
        }
        // Each enterprise asks for approvals, so that some are open.
        world.app.tasks.begin().await.unwrap();
        for place in 0..SLUGS.len() {
            world.fill(place).await;
        }
        world.call().await;
        world
    }

    /// Makes the organisation with its people, its programs and its group.
    async fn found(&self, place: usize) -> Organisation {
        let (slug, mark) = (SLUGS[place], MARKS[place]);
        let store = &self.app.store;
        let subject = || Subject::of("test", "test");
        let mut change = store.begin_change(&system(0), "test", subject()).await.unwrap();
        let id = match place {
            MAIN => 1,
            EAST | WEST => change.add_organisation(Some(1), slug, mark).await.unwrap(),
            _ => change.add_organisation(None, slug, mark).await.unwrap(),
        };
        let mut row = change.organisation(id).await.unwrap();
        row.settings.approve_audio = true;
        change.change_organisation(&row).await.unwrap();
        change.commit().await.unwrap();
        let scope = Scope { enterprise: row.enterprise(), organisations: vec![id] };
        let mut change = store.begin_change(&system(scope.enterprise), "test", subject()).await.unwrap();
        let group = Group {
            id: GroupId(0),
            name: format!("{mark}-group"),
            telephones: true,
            announce_number: true,
            idle_release: None,
            work_mode: None,
            seats: None,
        };
        let group = change.add_group(&scope, &group).await.unwrap();
        let (mut people, mut programs, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
        // The last one is whom requests are about.
        let staff = ROLES.iter().copied().chain([('-', Role::Agent)]);
        for (n, (letter, role)) in staff.enumerate() {
            let number = format!("8{place}0{n}");
            let details = AgentDetails {
                name: format!("{mark} {number}"),
                login: format!("{mark}{number}"),
                role,
                telephone: (letter == '-').then(|| parsed(&self::number(place, 1))),
                recorded: false,
                skills: BTreeSet::new(),
                sip_user: Some(number.clone()),
            };
            let account = change.add_agent(&scope, &number, &details, &Secrets::default()).await.unwrap();
            if matches!(role, Role::Agent | Role::Lead) {
                let member = Membership { group, priority: 1, in_use: true };
                change.set_memberships(account, &[member]).await.unwrap();
            }
            let key = format!("session of {number}");
            sessions.push((key.clone(), account));
            let is_one = letter != '-';
            people.extend(is_one.then_some(Caller {
                organisation: place,
                letter,
                key,
                is_program: false,
                lacks: None,
            }));
        }
        let mut add = async |letter: char, role, lacks: Option<&'static str>| {
            let key = format!("token of {mark} {letter} without {lacks:?}");
            let scopes: Option<Vec<String>> = lacks.map(|lacks| {
                let all = super::table::ACTIONS.iter().map(|(action, ..)| *action);
                all.filter(|action| *action != lacks).map(str::to_owned).collect()
            });
            let (hash, name) = (secrets::key_hash(&key), key.replace("token", mark));
            let new = NewToken { hash: &hash, role, name: &name, scopes: scopes.as_deref(), expires: None };
            change.add_token(&scope, &new).await.unwrap();
            programs.push(Caller { organisation: place, letter, key, is_program: true, lacks });
        };
        for (letter, role) in ROLES.into_iter().skip(2) {
            add(letter, role, None).await;
        }
        for (action, roles, _) in super::table::ACTIONS {
            if roles.contains('x') {
                add('x', Role::Admin, Some(action)).await;
            }
        }
        change.commit().await.unwrap();
        let until = self.app.clock.now() + Duration::from_secs(14 * 3600);
        for (key, account) in sessions {
            store.add_session(&secrets::key_hash(&key), account, until).await.unwrap();
        }
        let about = format!("8{place}06");
        let subjects = BTreeMap::from([
            ("number", about.clone()),
            ("group", format!("{mark}-group")),
            ("slug", slug.to_owned()),
            ("name", format!("{mark}-campaign")),
            ("n", "1".to_owned()),
        ]);
        let accounts = store.all_agents().await.unwrap();
        let account = accounts.iter().find(|row| row.number == about).unwrap().id;
        let empty = seat(account, Availability::Available, Activity::Talking, self.app.clock.now());
        Organisation {
            mark,
            scope,
            people,
            programs,
            subjects,
            numbers: (0..NUMBERS).map(|n| self::number(place, n)).collect(),
            campaign: CampaignId(0),
            seat: Arc::new(SeatView { number: about, groups: vec![group], ..empty }),
            task: TaskId(0),
        }
    }

    pub fn person(&self, place: usize, letter: char) -> &Caller {
        self.organisations[place].people.iter().find(|it| it.letter == letter).unwrap()
    }

    /// Sends a request. The clock goes on, no faster than a caller may ask.
    pub async fn send(&self, by: Option<&Caller>, method: &str, path: &str, payload: Payload) -> Answer {
        self.app.send(self.request(by, method, path, payload)).await
    }

    pub fn request(&self, by: Option<&Caller>, method: &str, path: &str, payload: Payload) -> Request<Body> {
        self.app.clock.advance(25);
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let mut request = match payload {
            Payload::Json(body) => bare(method, path, Some(body)),
            Payload::Empty => bare(method, path, None),
            Payload::File(bytes) => {
                let mut request = bare(method, path, None);
                let headers = request.headers_mut();
                headers.insert(header::CONTENT_TYPE, "application/octet-stream".parse().unwrap());
                headers.insert(header::CONTENT_LENGTH, bytes.len().to_string().parse().unwrap());
                *request.body_mut() = Body::from(bytes);
                request
            }
        };
        let headers = request.headers_mut();
        // A key costs two commits, so only routes that need one get it. Without it the sample campaign is not made, whose
        // people would be found in the walk.
        if needs_key(method, path) && !path.ends_with("/setup/sample") {
            headers.insert("idempotency-key", format!("key-{asked}").parse().unwrap());
        }
        match by {
            Some(Caller { is_program: true, key, .. }) => {
                headers.insert(header::AUTHORIZATION, format!("Bearer {key}").parse().unwrap());
            }
            Some(Caller { key, .. }) => {
                headers.insert(header::ORIGIN, format!("http://{HOST}").parse().unwrap());
                headers.insert(header::COOKIE, format!("paceline={key}").parse().unwrap());
            }
            None => {}
        }
        request
    }

    async fn post(&self, place: usize, letter: char, path: &str, body: Value) -> Value {
        let by = self.person(place, letter).clone();
        let answer = self.send(Some(&by), "post", path, Payload::Json(body)).await;
        assert!(answer.status.is_success(), "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    async fn upload(&self, place: usize, path: &str, bytes: Vec<u8>) -> Value {
        let by = self.person(place, 'm').clone();
        self.send(Some(&by), "post", path, Payload::File(bytes)).await.is(201).json()
    }

    /// Waits for the end of a task.
    async fn ended(&self, task: &Value) -> TaskId {
        let id = TaskId(task.as_i64().expect("a task"));
        let mut changes = self.app.tasks.changes();
        let waiting = async {
            while self.app.store.task_of_any(id).await.unwrap().unwrap().state.is_open() {
                let _ = changes.recv().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), waiting).await.expect("the task ends");
        id
    }

    /// A campaign with leads, lists, sounds, approvals, tasks and entries of the blacklist, all over the API.
    async fn fill(&mut self, place: usize) {
        let mark = MARKS[place];
        let n = |n: usize| number(place, n);
        // A sound of the same name in two enterprises, which a campaign of each names.
        let sound = self.upload(place, &format!("/audio?name={}", shared(place)), tone()).await;
        self.ended(&sound["task"]).await;
        let toml = format!(
            "name = \"{mark}-campaign\"\ntitle = \"{mark}\"\nmode = \"progressive\"\n[agents]\ngroup = \"{mark}-group\"\n\
             [[dispositions]]\ncode = \"voted\"\nlabel = \"已投票\"\nstate = \"done\"\ndefault = true\n[announcement]\nsorry = \"{}\"\n\
             [vote]\nresults = {{ agree = [\"voted\"] }}\n",
            shared(place)
        );
        self.post(place, 'm', "/campaigns", json!({ "toml": toml })).await;
        let own = &mut self.organisations[place];
        let mut reader = self.app.store.reader().await.unwrap();
        let campaign = reader.campaign_in(&own.scope, &format!("{mark}-campaign")).await.unwrap().unwrap();
        drop(reader);
        own.campaign = campaign.id;
        let mut rules = super::super::campaign(&campaign.name);
        rules.id = campaign.id;
        rules.agents = Some(AgentRules { group: own.seat.groups[0], ..agent_rules() });
        self.app.state.campaign_opened_in(&own.scope, mark, &rules);
        let path = format!("/campaigns/{mark}-campaign");
        // Numbers in the column that is called, in a name, in notes however written, in a building; one is refused.
        let list = format!(
            "楼栋,房号,姓名,手机,备注,面积\n\
             3,1401,{mark} 张伟{},{},其妻 {},89.5\n\
             {},1402,{mark} 李娜,{},{} / {},120\n\
             4,101,{mark} 王芳,{},联系 +86 {},77\n\
             4,102,{mark} 赵敏,{},{},77\n\
             5,103,{mark} 孙强,110,改 {},77\n",
            n(2),
            n(0),
            parted(&n(3), "-"),
            n(4),
            n(5),
            wide(&n(6)),
            parted(&n(7), "."),
            n(8),
            parted(&n(9), " "),
            n(10),
            parted(&n(11), "\u{a0}"),
            parted(&n(12), "·"),
        );
        let name = format!("{path}/lists?file_name={mark}-{}.csv", n(13));
        let added = self.upload(place, &name, list.clone().into_bytes()).await;
        self.ended(&added["task"]).await;
        let load = format!("/lists/{}/actions", added["list"]["id"]);
        let begun = self.post(place, 'm', &load, json!({ "action": "load" })).await;
        self.ended(&begun["task"]).await;
        // The list that requests are about is checked and not loaded.
        let checked = self.upload(place, &name, (list + "6,1,x,13800,x,1\n").into_bytes()).await;
        let task = self.ended(&checked["task"]).await;
        let sound = self.upload(place, &format!("/audio?name={mark}-{}.wav", n(14)), tone()).await;
        self.ended(&sound["task"]).await;
        let added = json!({ "name": format!("{mark} {}", n(15)), "phones": [n(16)], "place": mark });
        let lead = self.post(place, 'm', &format!("{path}/leads"), added).await["lead"].clone();
        let correct = json!({ "phone": n(17), "was": n(16) });
        self.post(place, 'l', &format!("/leads/{lead}/corrections"), correct).await;
        let name = json!({ "name": format!("{mark} {}", parted(&n(18), " ")) });
        self.post(place, 'l', &format!("/leads/{lead}/corrections"), name).await;
        let close = json!({ "action": "close", "reason": format!("{mark} moved to {}", n(19)) });
        self.post(place, 'm', &format!("/leads/{lead}/actions"), close).await;
        let many = json!({ "action": "close", "reason": n(19), "ids": [lead] });
        let many = self.post(place, 'm', &format!("{path}/leads/actions"), many).await;
        self.ended(&many["task"]).await;
        let entry = json!({
            "number": n(20), "campaign": format!("{mark}-campaign"), "source": format!("{mark} {}", n(20)),
            "reason": format!("{mark} asked from {}", parted(&n(21), "-")),
        });
        self.post(place, 'm', "/blacklist", entry).await;
        let caller_id =
            json!({ "number": format!("0755-1234567{place}"), "holder": format!("{mark} holder") });
        let caller_id = self.post(place, 'm', "/caller-ids", caller_id).await["number"].clone();
        let proof = format!("/caller-ids/{}/proof", caller_id.as_str().unwrap());
        self.upload(place, &proof, format!("%PDF-1.7 {mark}").into_bytes()).await;
        let group = json!({ "name": format!("{mark}-unused") });
        self.post(place, 'm', "/groups", group).await;
        // Made by an admin: the others see none of it.
        let wanted = json!({ "what": "leads", "format": "csv", "filters": { "campaign": format!("{mark}-campaign") } });
        let export = self.post(place, 'x', "/exports", wanted).await;
        self.ended(&export["task"]).await;
        let import =
            format!("/blacklist/imports?source={mark}-dnc&file_name={mark}.csv&campaign={mark}-campaign");
        let import = self.upload(place, &import, format!("{}\n", n(20)).into_bytes()).await;
        self.ended(&import["task"]["id"]).await;
        let by = self.person(place, 'm').clone();
        let entries = format!("/blacklist?campaign={mark}-campaign");
        let entries = self.send(Some(&by), "get", &entries, Payload::Empty).await.is(200).json();
        let tokens = self.send(Some(&by), "get", "/tokens", Payload::Empty).await.is(200).json();
        let token = tokens["tokens"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["name"].as_str().unwrap().contains(&format!("{mark} m")));
        let admin = self.person(place, 'x').clone();
        let approvals = self.send(Some(&admin), "get", "/approvals", Payload::Empty).await.is(200).json();
        let approval = approvals["items"].as_array().unwrap().iter().find(|it| it["subject"] == sound["id"]);
        let view = self.saved_view(place).await;
        let text = |value: &Value| value.to_string();
        let own = &mut self.organisations[place];
        own.task = task;
        own.subjects.extend([
            ("lead", text(&lead)),
            ("leads/id", text(&lead)),
            ("lists/id", text(&checked["list"]["id"])),
            ("audio/id", text(&sound["id"])),
            ("approvals/id", text(&approval.expect("an approval waits")["id"])),
            ("tasks/id", task.0.to_string()),
            ("views/id", view.to_string()),
            ("caller-ids/caller_id", caller_id.as_str().unwrap().to_owned()),
            ("blacklist/id", text(&entries["items"][0]["id"])),
            ("exports/id", text(&export["export"]["id"])),
            ("imports/id", text(&import["id"])),
            ("tokens/id", text(&token.expect("a token")["id"])),
        ]);
    }

    /// A view of the agent that requests are about, shared with its group.
    async fn saved_view(&self, place: usize) -> i64 {
        let own = &self.organisations[place];
        let (owner, mark) = (own.seat.agent, own.mark);
        let view = SavedView {
            id: 0,
            owner,
            group: own.seat.groups.first().copied(),
            name: format!("{mark} view"),
            page: "results".into(),
            query: "outcome=answered".into(),
            columns: Vec::new(),
            version: 1,
        };
        let actor = Actor {
            kind: ActorKind::Person,
            id: Some(owner.0),
            name: format!("{mark} agent"),
            address: String::new(),
            enterprise: own.scope.enterprise,
            key: None,
        };
        let subject = Subject::of("view", &view.name);
        let mut change = self.app.store.begin_change(&actor, "views.edit", subject).await.unwrap();
        let id = change.add_saved_view(&view).await.unwrap();
        change.commit().await.unwrap();
        id
    }

    /// Calls in each campaign, one in and one out, recorded, and one that is up.
    async fn call(&mut self) {
        let folder = self.app.dir.path().join("recordings");
        std::fs::create_dir_all(&folder).unwrap();
        let (writer, mut replies) = self.app.store.start_writer();
        let mut board = Board::default();
        board.trunks.push(TrunkBoard { name: "main".into(), up: true, ..TrunkBoard::default() });
        let now = self.app.clock.now();
        let of_file = [("main".to_owned(), (TrunkId(1), TrunkSource::File))].into();
        self.app.store.keep_trunks_of_file(&of_file).await.unwrap();
        for (place, own) in self.organisations.iter_mut().enumerate() {
            let (campaign, agent) = (own.campaign, own.seat.agent);
            let fetch = Command::FetchLeads { campaign, count: 1, untried: true };
            assert!(writer.send(fetch.clone()).await);
            let lead = match replies.recv().await.unwrap() {
                Reply::Leads { mut leads, .. } => leads.remove(0),
                other => panic!("{other:?}"),
            };
            let request = request(AttemptId(place as i64 + 1), campaign, &lead, now);
            let note = format!("{} call {}", own.mark, parted(&number(place, 22), " "));
            let mut summary = said(&request, "voted", now, None);
            (summary.agent, summary.summary.note) = (agent, note.clone());
            let steps = json!([{
                "at_ms": 0, "dir": "out", "text": format!("INVITE sip:+86{}@198.51.100.7", number(place, 0)),
            }]);
            let inbound = CallId(1 << 63 | (place as u64 + 1));
            let mut record = leg(inbound, LegKind::Inbound, now);
            (record.agent, record.campaign) = (Some(agent), Some(campaign));
            record.number = Some(parsed(&number(place, 23)));
            record.lead = Some(lead.id);
            let call = request.attempt.call();
            for name in ["out", "in"] {
                std::fs::write(folder.join(format!("{}-{name}.wav", own.mark)), own.mark).unwrap();
            }
            let sound = |call, name: &str| {
                let path = format!("{}-{name}.wav", own.mark);
                Command::SaveRecording { call, path, seconds: 1.0, lost_frames: 0 }
            };
            for command in [
                opening(&request),
                Command::SaveSteps { attempt: request.attempt, steps: steps.to_string() },
                Command::SaveResult(Box::new(spoken(&request, &lead, agent, now))),
                Command::SaveSummary(Box::new(summary)),
                sound(call, "out"),
                Command::SaveLeg(Box::new(record)),
                sound(inbound, "in"),
            ] {
                assert!(writer.send(command).await);
            }
            // Queries are answered when what was sent before them is written.
            assert!(writer.send(Command::FetchLeads { campaign, count: 0, untried: true }).await);
            while !matches!(replies.recv().await.unwrap(), Reply::Leads { .. }) {}
            let mut seat = SeatView::clone(&own.seat);
            let telephone = parsed(&number(place, 1));
            seat.endpoint = paceline_core::agent::Endpoint::Telephone(telephone);
            seat.work = Some(Work {
                campaign,
                lead: Some(LeadId(lead.id.0)),
                number: Some(parsed(&number(place, 0))),
                attempt: Some(request.attempt),
                inbound: false,
                answered_at: Some(now),
                connected_at: Some(now),
                parties: vec![Party {
                    leg: CallId(7),
                    kind: PartyKind::Callee,
                    agent: None,
                    number: Some(parsed(&number(place, 0))),
                    up: true,
                    held: false,
                }],
                recording: true,
                summary: Some(CallSummary { disposition: "voted".into(), note, callback: None }),
            });
            own.seat = Arc::new(seat);
            board.seats.insert(agent, own.seat.clone());
            let mut open = CampaignBoard::default();
            open.name = format!("{}-campaign", own.mark);
            board.campaigns.insert(campaign, open);
            own.subjects.insert("attempt", request.attempt.0.to_string());
            own.subjects.insert("called lead", lead.id.0.to_string());
        }
        self.app.board.send_replace(Arc::new(board));
        writer.close().await;
        for place in 0..self.organisations.len() {
            let by = self.person(place, 'm').clone();
            let log = self.send(Some(&by), "get", "/calls?direction=in", Payload::Empty).await.is(200).json();
            let mark = self.organisations[place].mark;
            let calls = log["calls"].as_array().unwrap();
            let own = calls.iter().find(|it| it["campaign"] == format!("{mark}-campaign"));
            let id = own.expect("an inbound call")["id"].to_string();
            self.organisations[place].subjects.insert("call", id);
        }
    }
}
