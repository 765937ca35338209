//! The name of a device, such as `Firefox · Linux`, from its `User-Agent` header. It helps users recognize their sessions;
//! no decision depends on it.

/// The names of browser and system; `None` when both are unknown.
pub(super) fn device_name(user_agent: &str) -> Option<String> {
    // A browser also names older browsers in its header, so the most specific name comes first.
    const BROWSERS: [(&str, &str); 9] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("CrOS", "ChromeOS"),
        ("Windows", "Windows"),
        ("Macintosh", "macOS"),
        ("Linux", "Linux"),
    ];
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser} · {system}")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_not_mistaken_for_older_ones_in_its_header() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0";
        assert_eq!(device_name(edge).as_deref(), Some("Edge · Windows"));
        let safari =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1 Version/17.5 Safari/604.1";
        assert_eq!(device_name(safari).as_deref(), Some("Safari · iPhone"));
        assert_eq!(
            device_name("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0").as_deref(),
            Some("Firefox · Linux")
        );
        assert_eq!(device_name("something else"), None);
    }
}
