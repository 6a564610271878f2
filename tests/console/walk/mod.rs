//! The walk: every route, as every role, for rows of the own organisation, of its parts, of the one above, of a sister
//! and of another enterprise, by cookie, by token, by a token whose scopes leave the action out, and by nobody. What
//! is another's answers exactly as what does not exist. Every answer is searched for numbers and names that its reader may
//! not see.

mod numbers;
mod references;
mod stream;
pub mod table;
mod world;

use super::*;
use numbers::Seen;
use paceline::console::rights;
use paceline::console::routes::{BodySchema, ROUTES, Route};
use serde_json::json;
use table::{Admits, IN_PART, NUMBERS_OF_ROW, NUMBERS_TOO, PEOPLES_OWN, Sight};
use world::{Caller, EAST, MAIN, OTHER, Payload, ROLES, WEST, World};

/// Words for ids that do not exist.
const MISSING: &str = "999999";

impl World {
    /// Whether rows of one organisation are there for callers of another: those of its own and of its parts.
    pub fn sees(&self, caller: usize, row: usize) -> bool {
        caller == row || (caller == MAIN && matches!(row, EAST | WEST))
    }

    /// What stands for a parameter of a path; `None` = something that does not exist.
    fn subject(&self, route: &Route, parameter: &str, place: Option<usize>) -> String {
        // The last name before the parameter: `imports` of `/blacklist/imports/{id}`.
        let named = route.path.split("/{").next().and_then(|path| path.rsplit('/').next());
        let resource = named.unwrap_or_default();
        let Some(place) = place else {
            return if parameter == "number" { "8999".into() } else { MISSING.into() };
        };
        let own = &self.organisations[place].subjects;
        let by_resource = own.get(format!("{resource}/{parameter}").as_str());
        by_resource
            .or_else(|| own.get(parameter))
            .unwrap_or_else(|| panic!("{}: {parameter}", route.path))
            .clone()
    }

    /// The path of a route with a row of these places for each of its parameters.
    fn path(&self, route: &Route, places: &[Option<usize>]) -> String {
        let mut places = places.iter();
        let part = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some("n") => "1".to_owned(),
            Some(_) if row_of(route).1 == Sight::NoRow => "main".to_owned(),
            Some(name) => self.subject(route, name, *places.next().unwrap_or(&None)),
            None => part.to_owned(),
        };
        let path = route.path.split('/').map(part).collect::<Vec<_>>().join("/");
        let query = match (route.method, route.path) {
            ("get", "/search") => "?q=z",
            ("post", "/campaigns/{name}/lists") => "?file_name=x.csv",
            ("post", "/audio") => "?name=x.wav",
            ("post", "/blacklist/imports") => "?source=x&file_name=x.csv",
            ("put" | "patch", "/campaigns/{name}") => "?dry_run=true",
            _ => "",
        };
        path + query
    }
}

fn name_of(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

fn row_of(route: &Route) -> (Admits, Sight) {
    let name = name_of(route);
    let row = table::ROUTES.iter().find(|(known, ..)| *known == name);
    let (_, admits, sight) = row.unwrap_or_else(|| panic!("{name} is not in the table of the walk"));
    (*admits, *sight)
}

/// Parameters of a path that name rows of an organisation.
fn parameters(route: &Route) -> usize {
    if row_of(route).1 == Sight::NoRow {
        return 0;
    }
    route.path.split('/').filter(|part| part.starts_with('{') && *part != "{n}").count()
}

/// A body that the route takes, so that a refusal is for who asks and not for what.
fn fit(route: &Route) -> Payload {
    match route.body {
        BodySchema::Empty => Payload::Empty,
        BodySchema::AgentAction => Payload::Json(json!({ "action": "ready" })),
        BodySchema::File(example) => Payload::File(example.into()),
        BodySchema::Json(_, _, example) | BodySchema::JsonOrFile(_, _, example, _) => {
            Payload::Json(match (route.method, route.path) {
                ("post", "/campaigns/{name}/actions") => json!({ "action": "pause" }),
                ("post", "/agents/{number}/password") => json!({}),
                _ => serde_json::from_str(example).unwrap(),
            })
        }
    }
}

/// A body that no route takes: a caller who passes changes nothing.
fn unfit(route: &Route) -> Payload {
    match route.body {
        BodySchema::Empty => Payload::Empty,
        BodySchema::File(_) => Payload::File(Vec::new()),
        _ => Payload::Json(json!({ "action": "none of these", "none of these": true })),
    }
}

/// What the walk expects of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    /// 403, and this right is named.
    MissingRight(&'static str),
    Status(u16),
    /// Served, or refused for what was sent.
    Served,
}

fn expected(world: &World, by: &Caller, route: &Route, places: &[Option<usize>]) -> Expected {
    let ((admits, sight), name) = (row_of(route), name_of(route));
    let lacks = |action: &'static str| {
        let roles = table::roles_of(action);
        let is_programs = action != "approvals.decide" || !by.is_program;
        !roles.contains(by.letter) || by.lacks == Some(action) || !is_programs
    };
    match admits {
        Admits::Action(action) if lacks(action) => return Expected::MissingRight(action),
        Admits::Shown(action) if by.lacks == Some(action) => return Expected::MissingRight(action),
        Admits::Machine => return Expected::Status(403),
        _ => {}
    }
    if by.is_program && PEOPLES_OWN.contains(&name.as_str()) {
        return Expected::Status(403);
    }
    if NUMBERS_TOO.contains(&name.as_str()) && lacks("numbers.read") {
        return Expected::MissingRight("numbers.read");
    }
    let sees_all = "myux".contains(by.letter);
    let is_there = |place: &Option<usize>| {
        let Some(place) = *place else { return false };
        let is_own = place == by.organisation;
        world.sees(by.organisation, place)
            && match sight {
                Sight::NoRow | Sight::All => true,
                Sight::Group => sees_all || is_own,
                Sight::Leads | Sight::People => sees_all || (is_own && by.letter == 'l'),
                Sight::Owner => false,
                Sight::Admins => by.letter == 'x',
                Sight::Maker => "mx".contains(by.letter) && by.lacks.is_none_or(|it| it != "lists.edit"),
            }
    };
    // A lead is one of its own campaign.
    let is_of_another = route.path.contains("{lead}") && places[0] != places[1];
    if is_of_another || !places.iter().all(is_there) {
        return Expected::Status(404);
    }
    // These were made by somebody who reads numbers.
    if NUMBERS_OF_ROW.contains(&name.as_str()) && lacks("numbers.read") {
        return Expected::MissingRight("numbers.read");
    }
    let in_part = IN_PART.iter().find(|(route, letter, _)| *route == name && *letter == by.letter);
    in_part.map_or(Expected::Served, |(_, _, status)| Expected::Status(*status))
}

/// What a refusal says, but for the id of the request.
fn said(answer: &Answer) -> (u16, Value) {
    let mut body = answer.json();
    if let Some(body) = body.as_object_mut() {
        body.remove("id");
    }
    (answer.status.as_u16(), body)
}

/// The rows that a caller of this organisation asks for, by parameter: its own, others', and of a path with two both
/// ways round. The first of each pattern is the one of what does not exist.
fn patterns(of: usize, parameters: usize) -> Vec<Vec<Vec<Option<usize>>>> {
    let places = match of {
        MAIN => vec![None, Some(MAIN), Some(EAST), Some(OTHER)],
        EAST => vec![None, Some(EAST), Some(MAIN), Some(WEST), Some(OTHER)],
        _ => vec![None, Some(of), Some(MAIN)],
    };
    let all =
        |make: &dyn Fn(Option<usize>) -> Vec<Option<usize>>| places.iter().map(|it| make(*it)).collect();
    match parameters {
        0 => vec![vec![vec![]]],
        1 => vec![all(&|place| vec![place])],
        _ => vec![
            all(&|place| vec![place, place]),
            all(&|place| vec![Some(of), place]),
            all(&|place| vec![place, Some(of)]),
        ],
    }
}

/// Asks as one caller for the rows of a pattern.
async fn ask(world: &World, seen: &mut Seen, by: &Caller, route: &Route, rows: &[Vec<Option<usize>>]) {
    let mut missing = None;
    let is_seen = |place: usize| world.sees(by.organisation, place);
    for places in rows {
        let wanted = expected(world, by, route, places);
        // A change that would be served is sent unfit, or as of another version: the world stays as it is.
        let is_served = wanted == Expected::Served;
        let changes_rows = [
            "delete /blacklist/{id}",
            "delete /exports/{id}",
            "delete /agents/{number}/groups/{group}",
            "post /sign-out",
        ];
        if is_served && changes_rows.contains(&name_of(route).as_str()) {
            continue;
        }
        let path = world.path(route, places);
        let payload = if is_served { unfit(route) } else { fit(route) };
        let mut request = world.request(Some(by), route.method, &path, payload);
        let version = if is_served && route.method != "get" { "\"v999999\"" } else { "*" };
        request.headers_mut().insert(header::IF_MATCH, version.parse().unwrap());
        let answer = world.app.send(request).await;
        let what = format!(
            "{} {path} as {}{} of {}{}",
            route.method,
            by.letter,
            if by.is_program { " by token" } else { "" },
            world.organisations[by.organisation].mark,
            by.lacks.map_or(String::new(), |lacks| format!(" without {lacks}")),
        );
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let status = answer.status.as_u16();
        match &wanted {
            Expected::MissingRight(action) => {
                if (status, answer.json()["right"].as_str()) != (403, Some(*action)) {
                    seen.fault(format!("{what}: {status}, not 403 for want of `{action}`: {text:.300}"));
                }
            }
            Expected::Status(wanted) => {
                if status != *wanted {
                    seen.fault(format!("{what}: {status}, not {wanted}: {text:.300}"));
                }
            }
            Expected::Served => {
                let is_refused = matches!(status, 401 | 403 | 404) || answer.status.is_server_error();
                if is_refused || (route.method == "get" && !answer.status.is_success()) {
                    seen.fault(format!("{what}: {status}: {text:.300}"));
                }
            }
        }
        seen.check(world, Some(by), &what, &answer);
        match (&missing, &wanted) {
            (None, _) => missing = Some(said(&answer)),
            // A lead of another campaign that is seen too: the refusal says which of both is missing.
            (Some(_), _)
                if route.path.contains("{lead}") && places.iter().flatten().all(|it| is_seen(*it)) => {}
            (Some(missing), Expected::Status(404)) if *missing != said(&answer) => {
                seen.fault(format!("{what}: {text}, and of what does not exist {missing:?}"));
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_route_serves_whom_it_may_and_shows_them_what_is_theirs() {
    let world = World::new().await;
    let mut seen = Seen::default();
    for route in ROUTES.iter().filter(|route| route.path != "/live") {
        let name = name_of(route);
        if row_of(route).0 == Admits::Anybody {
            continue;
        }
        // Strangers, and those whose cookie or token is none.
        for by in [None, Some(false), Some(true)] {
            let key = "a guess".to_owned();
            let by =
                by.map(|is_program| Caller { organisation: MAIN, letter: '-', key, is_program, lacks: None });
            let path = world.path(route, &[Some(MAIN), Some(MAIN)]);
            let answer = world.send(by.as_ref(), route.method, &path, fit(route)).await;
            if (answer.status.as_u16(), answer.code().as_str()) != (401, "sign_in_first") {
                seen.fault(format!("{name} by nobody: {}", answer.status));
            }
            seen.check(&world, None, &name, &answer);
        }
        for of in [MAIN, EAST, OTHER] {
            let own = &world.organisations[of];
            let asks = |it: &&&Caller| match (it.lacks, row_of(route).0) {
                (None, _) => of == MAIN || "lmx".contains(it.letter),
                (Some("numbers.read"), _) => of != OTHER && route.method == "get",
                (Some(lacks), Admits::Action(action) | Admits::Shown(action)) => {
                    of == MAIN && lacks == action
                }
                _ => false,
            };
            for rows in patterns(of, parameters(route)) {
                for by in own.people.iter().chain(&own.programs).collect::<Vec<_>>().iter().filter(asks) {
                    ask(&world, &mut seen, by, route, &rows).await;
                }
            }
        }
    }
    references::walk(&world, &mut seen).await;
    references::look_up(&world, &mut seen).await;
    stream::walk(&world, &mut seen).await;
    seen.assert_no_faults();
    seen.assert_is_whole(&world);
    assert!(seen.answers > 3_000, "{} answers", seen.answers);
}

#[test]
fn the_tables_of_the_walk_are_those_of_the_service() {
    let known: BTreeSet<String> = ROUTES.iter().map(name_of).collect();
    let by_hand: BTreeSet<String> = table::ROUTES.iter().map(|(route, ..)| (*route).to_owned()).collect();
    assert_eq!(known, by_hand);
    assert_eq!(rights::TABLE.len(), table::ACTIONS.len());
    for (action, roles) in rights::TABLE {
        let row = table::ACTIONS.iter().find(|(name, ..)| *name == action.word());
        let (_, base, switched) = row.unwrap_or_else(|| panic!("{} is not in the table", action.word()));
        let mut by_hand: Vec<char> =
            base.chars().chain(switched.chars()).filter(|letter| *letter != 'o').collect();
        let letter = |role: &Role| ROLES.iter().find(|(_, known)| known == role).unwrap().0;
        let mut by_code: Vec<char> = roles.iter().map(letter).collect();
        by_hand.sort_unstable();
        by_code.sort_unstable();
        assert_eq!(by_hand, by_code, "{}", action.word());
        assert_eq!(base.contains('o'), action.is_operators(), "{}", action.word());
    }
}
