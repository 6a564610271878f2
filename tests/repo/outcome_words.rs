//! An outcome has one wording: what the service says of it in its sentences holds the word that the pages show.

use super::read;
use paceline::text::Lang;
use paceline_core::outcome::Outcome;

#[test]
fn the_pages_and_the_service_say_an_outcome_alike() {
    let mut faults = Vec::new();
    for (lang, file) in [(Lang::En, "ui/src/words/en/states.ts"), (Lang::Zh, "ui/src/words/zh/states.ts")] {
        let words = read(file);
        for outcome in Outcome::ALL {
            let key = format!("\"outcome.{}\": \"", outcome.word());
            let shown =
                words.split_once(&key).and_then(|(_, rest)| rest.split_once('"')).map(|(word, _)| word);
            let shown = shown.unwrap_or_else(|| panic!("{file} has no {key}")).to_lowercase();
            let said = lang.outcome_words(*outcome);
            if !said.contains(&shown) {
                faults.push(format!("{}: the service says `{said}`, the pages `{shown}`", outcome.word()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
