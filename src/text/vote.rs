//! Where an owners' vote stands, in a sentence.

use super::{Lang, thousands};
use paceline_core::vote::{Count, Standing};

/// Square metres from hundredths, without a rest of zeros.
pub fn square_metres(hundredths: u64) -> String {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    match rest {
        0 => thousands(whole),
        rest if rest % 10 == 0 => format!("{}.{}", thousands(whole), rest / 10),
        rest => format!("{}.{rest:02}", thousands(whole)),
    }
}

impl Lang {
    /// One sentence: decided, or what is still needed.
    pub fn vote(self, count: &Count) -> String {
        let (certain, out_of_reach, open) = match self {
            Lang::En => (
                "Certain: enough owners took part and agree, whatever the others say",
                "Out of reach: even if everybody who may still be reached agrees, it is not enough",
                "As things stand enough took part and agree; those who have said nothing can still change it",
            ),
            Lang::Zh => (
                "已成定局:无论其余业主怎么表态,参与和同意都已够",
                "已无法达到:即使还能联系的业主全部同意,也不够",
                "目前参与和同意都已够;尚未表态的业主仍可能改变结果",
            ),
        };
        match count.standing {
            Standing::Certain => certain.to_owned(),
            Standing::OutOfReach => out_of_reach.to_owned(),
            Standing::Open => self.vote_needs(count).unwrap_or_else(|| open.to_owned()),
        }
    }

    /// `None` = nothing.
    fn vote_needs(self, count: &Count) -> Option<String> {
        let needed = &count.still_needed;
        let part = |heads: u64, area: u64| {
            let heads = (heads > 0).then(|| match self {
                Lang::En if heads == 1 => "1 owner".to_owned(),
                Lang::En => format!("{} owners", thousands(heads)),
                Lang::Zh => format!("{} 人", thousands(heads)),
            });
            let area = (area > 0).then(|| format!("{} ㎡", square_metres(area)));
            let parts: Vec<String> = heads.into_iter().chain(area).collect();
            let joined = parts.join(if self == Lang::En { " and " } else { "、" });
            (!parts.is_empty()).then_some(joined)
        };
        let quorum = part(needed.quorum_heads, needed.quorum_area).map(|what| match self {
            Lang::En => format!("{what} more to take part"),
            Lang::Zh => format!("参与还差 {what}"),
        });
        // Of nobody who took part there is no share.
        let has_begun = count.heads.took_part > 0;
        let agree =
            part(needed.agree_heads, needed.agree_area).filter(|_| has_begun).map(|what| match self {
                Lang::En => format!("{what} more to agree, of those who took part"),
                Lang::Zh => format!("在已参与的业主中同意还差 {what}"),
            });
        let parts: Vec<String> = quorum.into_iter().chain(agree).collect();
        let joined = parts.join(if self == Lang::En { "; " } else { ";" });
        (!parts.is_empty()).then(|| match self {
            Lang::En => format!("Still needed: {joined}"),
            Lang::Zh => format!("未定:{joined}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::vote::{Flat, Joint, Owner, Threshold, Voice, VoteRules, count};

    #[test]
    fn the_sentence_names_what_is_needed_of_both() {
        let rules = VoteRules {
            joint: Joint::One,
            quorum_heads: Threshold::TWO_THIRDS,
            quorum_area: Threshold::TWO_THIRDS,
            majority: Threshold::HALF,
            heads_total: None,
            area_total: None,
        };
        let owner = |lead: i64, voice: Option<Voice>, is_open: bool| Owner {
            lead,
            flats: vec![Flat { name: None, area: Some(8_950) }],
            voice,
            is_open,
        };
        let mut owners =
            vec![owner(1, Some(Voice::Against), false), owner(2, None, true), owner(3, None, true)];
        let said = Lang::En.vote(&count(&rules, &owners));
        assert_eq!(
            said,
            "Still needed: 1 owner and 89.5 ㎡ more to take part; 1 owner and 44.76 ㎡ more to agree, of those who took part"
        );
        assert!(Lang::Zh.vote(&count(&rules, &owners)).starts_with("未定:参与还差 1 人、89.5 ㎡;"));
        owners[1] = owner(2, None, false);
        assert!(Lang::En.vote(&count(&rules, &owners)).starts_with("Out of reach"));
        let agreed: Vec<Owner> = (0..3).map(|n| owner(n, Some(Voice::Agree), false)).collect();
        assert!(Lang::Zh.vote(&count(&rules, &agreed)).starts_with("已成定局"));
        assert_eq!([square_metres(0), square_metres(101), square_metres(8_950)], ["0", "1.01", "89.5"]);
        assert_eq!([square_metres(91_420_355), square_metres(100_000)], ["914,203.55", "1,000"]);
        let many: Vec<Owner> = (0..5_000).map(|n| owner(n, None, true)).collect();
        let said = Lang::En.vote(&count(&rules, &many));
        assert_eq!(said, "Still needed: 3,334 owners and 298,333.34 ㎡ more to take part");
    }
}
