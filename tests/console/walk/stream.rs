//! The live stream in the walk: each reader's snapshot and events are searched as answers are.

use super::numbers::{Seen, squeeze};
use super::world::{EAST, MAIN, OTHER, Payload, World};
use super::*;
use paceline::tasks::Changed;

/// Reads a stream until this is in it.
async fn read_until(body: &mut Body, text: &mut String, end: &str) {
    let reading = async {
        while !text.contains(end) {
            let data = body.frame().await.expect("the stream goes on").unwrap().into_data().unwrap();
            text.push_str(std::str::from_utf8(&data).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(30), reading)
        .await
        .unwrap_or_else(|_| panic!("no {end} in {text}"));
}

pub async fn walk(world: &World, seen: &mut Seen) {
    for of in [MAIN, EAST, OTHER] {
        let own = &world.organisations[of];
        let lacking = |it: &&Caller| it.lacks.is_none_or(|it| it == "floor.read" || it == "numbers.read");
        for by in own.people.iter().chain(own.programs.iter().filter(lacking)) {
            let what = format!("/live as {} of {} {:?}", by.letter, own.mark, by.lacks);
            let request = world.request(Some(by), "get", "/live", Payload::Empty);
            // The stream begins with the next board.
            let board = world.app.board.clone();
            let next = tokio::spawn(async move {
                loop {
                    board.send_modify(|_| {});
                    tokio::task::yield_now().await;
                }
            });
            let response = world.app.ask(request).await;
            next.abort();
            if by.lacks == Some("floor.read") {
                assert_eq!(response.status(), 403, "{what}");
                continue;
            }
            assert_eq!(response.status(), 200, "{what}");
            let (mut body, mut text) = (response.into_body(), String::new());
            read_until(&mut body, &mut text, "event: snapshot").await;
            for other in world.organisations.iter().filter(|it| it.mark != own.mark).chain([own]) {
                world.app.live.send(LiveEvent::Seat(other.seat.clone())).unwrap();
                world.app.tasks.announce(Changed::Task(other.task));
            }
            world.app.live.send(LiveEvent::Finished { campaign: own.campaign }).unwrap();
            read_until(&mut body, &mut text, "event: finished").await;
            if "mx".contains(by.letter) {
                read_until(&mut body, &mut text, &format!("\"id\":{},\"kind\":\"check_list\"", own.task.0))
                    .await;
            }
            let (text, digits) = squeeze(text);
            seen.check_text(world, Some(by), &what, &text, &digits);
        }
    }
}
