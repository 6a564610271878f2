//! SVG helpers of the charts and timelines.

/// Opening tag, background and title of an SVG; the caller appends `</svg>`.
pub(super) fn open_svg(width: f64, height: f64, title: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"13\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/><text x=\"20\" y=\"28\" \
         font-size=\"16\">{}</text>",
        escape_xml(title)
    )
}

/// Text escaped for XML, without control characters.
pub(super) fn escape_xml(text: &str) -> String {
    let plain: String = text.chars().filter(|letter| !letter.is_control()).collect();
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_for_xml() {
        assert_eq!(escape_xml("<a href=\"x\">&\u{1b}"), "&lt;a href=&quot;x&quot;&gt;&amp;");
        assert!(open_svg(1.0, 2.0, "<script>").contains("&lt;script&gt;"));
    }
}
