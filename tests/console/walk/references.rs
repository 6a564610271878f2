//! Names, ids and numbers of rows in queries and bodies. In the texts `=name` is the caller's own row, `@name` the one that
//! is asked for, `#agent` its id, `@0` a number of its list.

use super::numbers::{Seen, squeeze};
use super::world::{Caller, EAST, MAIN, OTHER, Payload, WEST, World};
use super::*;

/// Method, path, body, and the role that asks: another's row is answered as one that does not exist.
const NAMED: &[(&str, &str, &str, char)] = &[
    ("get", "/calls?campaign=@name", "", 'm'),
    ("get", "/calls?agent=@number", "", 'm'),
    ("get", "/calls?lead=@lead", "", 'm'),
    ("get", "/floor?group=@group", "", 'm'),
    ("get", "/campaigns?group=@group", "", 'm'),
    ("get", "/blacklist?campaign=@name", "", 'm'),
    ("get", "/search?q=out-@attempt", "", 'm'),
    ("get", "/search?q=in-@call", "", 'm'),
    ("get", "/search?q=@name", "", 'm'),
    ("get", "/search?q=@number", "", 'm'),
    ("get", "/search?q=@0", "", 'm'),
    ("get", "/calls?number=@0", "", 'm'),
    ("get", "/campaigns/=name/leads?number=@0", "", 'm'),
    ("get", "/campaigns/=name/leads?number=@near", "", 'm'),
    ("get", "/audit?subject=campaign:@name", "", 'x'),
    ("get", "/audit?subject=campaign:@name", "", 'u'),
    ("post", "/blacklist", r#"{"number":"13712345678","campaign":"@name"}"#, 'm'),
    ("post", "/blacklist/removals", r#"{"number":"13712345678","campaign":"@name"}"#, 'm'),
    ("post", "/campaigns", r#"{"copy_of":"@name","name":"copy"}"#, 'm'),
    ("post", "/agents", r#"{"name":"x","groups":["@group"]}"#, 'm'),
    ("post", "/agents/batch", r#"{"agents":[{"name":"x","groups":["@group"]}]}"#, 'm'),
    ("patch", "/agents/=number", r#"{"groups":["@group"]}"#, 'm'),
    ("post", "/leads/=lead/actions", r#"{"action":"assign","agent":"@number"}"#, 'm'),
    ("post", "/campaigns/=name/leads/actions", r#"{"action":"assign","agent":"@number","ids":[1]}"#, 'm'),
    ("patch", "/campaigns/=name?dry_run=true", r#"{"fields":{"agents":{"group":"@group"}}}"#, 'm'),
    ("get", "/me/leads?campaign=@name", "", 'l'),
    ("get", "/colleagues?group=@group", "", 'l'),
    ("post", "/me/leads/fetch", r#"{"campaign":"@name","count":1}"#, 'l'),
    ("post", "/me/actions", r#"{"action":"call","campaign":"@name","number":"13712345678"}"#, 'l'),
    ("post", "/me/actions", r#"{"action":"consult","target":{"agent":"@number"}}"#, 'l'),
    ("post", "/me/actions", r#"{"action":"consult","target":{"group":"@group"}}"#, 'l'),
    ("post", "/me/actions", r#"{"action":"sign_in","groups":["@group"]}"#, 'l'),
    ("post", "/me/actions", r#"{"action":"supervise","agent":"@number","how":"listen"}"#, 'l'),
    ("post", "/me/actions", r##"{"action":"supervise","agent":#agent,"how":"listen"}"##, 'l'),
    ("post", "/me/actions", r##"{"action":"consult","target":{"agent":#agent}}"##, 'l'),
    ("post", "/me/actions", r##"{"action":"consult","target":{"group":#group}}"##, 'l'),
    ("post", "/me/actions", r##"{"action":"sign_in","groups":[#group]}"##, 'l'),
    ("post", "/me/actions", r##"{"action":"call","campaign":#campaign,"number":"13712345678"}"##, 'l'),
];

/// Method, path, body, and the roles that ask: each answer is searched.
const LOOKED_UP: &[(&str, &str, &str, &str)] = &[
    ("get", "/campaigns/=name/leads?row=2", "", "alyumx"),
    ("get", "/campaigns/=name/leads?row=6", "", "yumx"),
    ("get", "/campaigns/=name/leads?row=999", "", "yumx"),
    ("get", "/campaigns/=name/leads?number=@0", "", "yumx"),
    ("get", "/campaigns/=name/leads?number=@12", "", "yumx"),
    ("get", "/campaigns/=name/leads?number=@near", "", "yumx"),
    ("get", "/campaigns/=name/leads?q=@0&count=1", "", "yumx"),
    ("get", "/campaigns/=name/leads?count=1", "", "yumx"),
    ("get", "/campaigns/=name/leads/=called/why", "", "yumx"),
    ("get", "/leads/=called", "", "yumx"),
    ("get", "/calls?number=@0", "", "yumx"),
    ("get", "/calls?direction=in", "", "yumx"),
    ("get", "/search?q=@0", "", "yumx"),
    ("get", "/search?q=%E5%BC%A0", "", "yumx"),
    ("get", "/search?q=out-=attempt", "", "yumx"),
    ("get", "/search?q=in-=inbound", "", "yumx"),
    ("get", "/search?q=wav", "", "mx"),
    ("get", "/search?q=csv", "", "mx"),
    ("get", "/blacklist?number=@20", "", "yumx"),
    ("get", "/blacklist?number=@21", "", "yumx"),
    ("get", "/tasks?kind=change_leads", "", "yumx"),
    ("get", "/audit?subject=%6cead&limit=500", "", "ux"),
    ("get", "/audit?subject=blacklist&limit=500", "", "ux"),
    ("get", "/audit?subject=list&limit=500", "", "ux"),
    ("get", "/approvals?state=others", "", "mx"),
    ("get", "/approvals?state=done", "", "mx"),
    ("get", "/lists/=lists/rows?kind=lead", "", "mx"),
    ("post", "/campaigns/=name/leads", r#"{"name":"x","phones":["@0"]}"#, "mx"),
    ("post", "/campaigns/=name/leads", r#"{"name":"x","phones":["@0 @1"]}"#, "mx"),
    ("post", "/campaigns/=name/leads", r#"{"name":"x","phones":["@3"],"cells":{"@0":"x"}}"#, "mx"),
    ("post", "/campaigns/=name/actions", r#"{"action":"test_call","number":"@0"}"#, "mx"),
    ("post", "/blacklist/removals", r#"{"number":"@0","campaign":"=name"}"#, "mx"),
    ("post", "/lists/=lists/actions", r#"{"action":"undo"}"#, "mx"),
];

impl World {
    /// A text with the rows of `of`, whose caller asks, and of `place`; `None` = rows that do not exist.
    fn written(&self, text: &str, of: usize, place: Option<usize>) -> String {
        let own = &self.organisations[of].subjects;
        let other = place.map(|place| &self.organisations[place]);
        let mut text = text.to_owned();
        let numbers: Vec<String> = match other {
            Some(other) => other.numbers.clone(),
            None => (0..24).map(|n| format!("137123456{n:02}")).collect(),
        };
        // The first number of the list with another last digit.
        let (head, last) = numbers[0].split_at(10);
        text = text.replace("@near", &format!("{head}{}", if last == "9" { '8' } else { '9' }));
        for (n, number) in numbers.iter().enumerate().rev() {
            text = text.replace(&format!("@{n}"), number);
        }
        for name in ["name", "number", "group", "lead", "attempt", "call"] {
            let missing = if name == "number" { "8999" } else { MISSING };
            let asked = other.map_or(missing, |other| &other.subjects[name]);
            text = text.replace(&format!("@{name}"), asked);
        }
        let ids = other.map(|other| (other.seat.agent.0, other.seat.groups[0].0, other.campaign.0));
        let (agent, group, campaign) = ids.unwrap_or((999_999, 999_999, 999_999));
        for (name, id) in [("#agent", agent), ("#group", group), ("#campaign", campaign)] {
            text = text.replace(name, &id.to_string());
        }
        for (name, key) in [
            ("=called", "called lead"),
            ("=lists", "lists/id"),
            ("=inbound", "call"),
            ("=name", "name"),
            ("=number", "number"),
            ("=lead", "lead"),
            ("=attempt", "attempt"),
        ] {
            text = text.replace(name, &own[key]);
        }
        text
    }

    /// A text without what the request named: a refusal may repeat it.
    fn without_names(&self, mut text: String, of: usize, place: Option<usize>) -> String {
        for name in ["@near", "@0", "@name", "@number", "@group"] {
            text = text.replace(&self.written(name, of, place), "it");
        }
        text
    }

    async fn ask(
        &self,
        seen: &mut Seen,
        by: &Caller,
        (method, path, body): (&str, &str, &str),
        place: Option<usize>,
        is_echoed: bool,
    ) -> (String, Answer) {
        let of = by.organisation;
        let path = self.written(path, of, place);
        let payload = match self.written(body, of, place) {
            body if body.is_empty() => Payload::Empty,
            body => Payload::Json(serde_json::from_str(&body).unwrap()),
        };
        let mark = self.organisations[of].mark;
        let what = format!("{method} {path} {payload:?} as {} of {mark} {:?}", by.letter, by.lacks);
        let answer = self.send(Some(by), method, &path, payload).await;
        if answer.status.is_server_error() {
            seen.fault(format!("{what}: {}", answer.status));
        }
        let mut text = String::from_utf8_lossy(&answer.body).into_owned();
        if is_echoed {
            text = self.without_names(text, of, place);
        }
        let (text, digits) = squeeze(text);
        seen.check_text(self, Some(by), &what, &text, &digits);
        (what, answer)
    }
}

/// Asks for others' rows and for rows that do not exist, and compares the answers.
pub async fn walk(world: &World, seen: &mut Seen) {
    for (of, place) in [(EAST, MAIN), (EAST, WEST), (EAST, OTHER), (MAIN, OTHER), (OTHER, MAIN)] {
        for (method, path, body, letter) in NAMED {
            let by = world.person(of, *letter).clone();
            let (_, missing) = world.ask(seen, &by, (method, path, body), None, true).await;
            let (what, other) = world.ask(seen, &by, (method, path, body), Some(place), true).await;
            let plain = |answer: &Answer, place: Option<usize>| {
                let (status, body) = said(answer);
                (status, world.without_names(body.to_string(), of, place))
            };
            let (missing, other) = (plain(&missing, None), plain(&other, Some(place)));
            if missing != other {
                seen.fault(format!("{what}: {other:?}, and of what does not exist {missing:?}"));
            }
        }
    }
}

/// Asks by numbers, ids and words for what is there, as callers who may read numbers and as others.
pub async fn look_up(world: &World, seen: &mut Seen) {
    *world.app.engine.lock().unwrap() =
        EngineStub { test_refusal: Some("the line is busy".into()), ..EngineStub::default() };
    for of in [MAIN, EAST] {
        let own = &world.organisations[of];
        for (method, path, body, letters) in LOOKED_UP {
            let people = own.people.iter().filter(|it| letters.contains(it.letter));
            let masked =
                |it: &&Caller| it.lacks == Some("numbers.read") || (it.lacks.is_none() && it.letter == 'y');
            let programs = own.programs.iter().filter(masked).filter(|it| letters.contains(it.letter));
            for by in people.chain(programs) {
                world.ask(seen, by, (method, path, body), Some(of), false).await;
            }
            // Masked look-ups are thirty an hour.
            world.app.clock.advance(200_000);
        }
    }
}
