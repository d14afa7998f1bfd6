//! Values of flags: text in, a checked value or what to write instead out.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Longer times would only overflow clocks.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// An address to listen on.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let bare = text.trim_matches(['[', ']']).parse::<IpAddr>();
        match (bare, text.rsplit_once(':')) {
            (Ok(ip), _) => {
                format!("add a port: {}", SocketAddr::new(ip, 7766))
            }
            (Err(_), Some(("localhost", port))) => {
                format!("write the IP address: 127.0.0.1:{port}")
            }
            _ => "write an IP address and a port, such as 127.0.0.1:7766 or [::1]:7766".to_owned(),
        }
    })
}

/// A time; zero is one.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text)
        .map_err(|_| "write a number and a unit, such as 5s, 500ms or 2m".to_owned())?;
    if time > LONGEST {
        return Err("write 365days or less".to_owned());
    }
    Ok(time)
}

/// A time that takes some.
pub(super) fn time_above_zero(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("write a time above zero, such as 5s".to_owned()),
        time => Ok(time),
    }
}

/// How many; none is an answer.
pub(super) fn count(text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| format!("write a whole number from 0 to {}", u32::MAX))
}

/// How many, one or more.
pub(super) fn count_above_zero(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("write a whole number from 1 to {}", u32::MAX)),
        Ok(count) => Ok(count),
    }
}

/// Bytes: a number by itself or with a unit; none is an answer.
pub(super) fn bytes(text: &str) -> Result<u32, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit: Option<u32> = match unit.trim_start() {
        "" | "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        _ => None,
    };
    match number.parse::<u32>().ok().zip(unit) {
        Some((number, unit)) => number
            .checked_mul(unit)
            .ok_or_else(|| format!("write {} bytes or fewer", u32::MAX)),
        None => Err("write a number of bytes, such as 1048576, 64KiB or 1MiB".to_owned()),
    }
}

/// The longest frame: strangers' frames fit below it, and clients read twice as much.
pub(super) fn frame(text: &str) -> Result<u32, String> {
    match bytes(text)? {
        frame @ 0x1000..=0x8_0000 => Ok(frame),
        _ => Err("write a size from 4KiB to 512KiB".to_owned()),
    }
}

/// What may wait for one connection.
pub(super) fn queue(text: &str) -> Result<u32, String> {
    match bytes(text)? {
        queue @ 0x1_0000.. => Ok(queue),
        _ => Err("write 64KiB or more".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_ip_and_a_port() {
        assert_eq!(address("[::1]:0"), Ok("[::1]:0".parse().unwrap()));
        let hints = [
            ("127.0.0.1", "add a port: 127.0.0.1:7766"),
            ("::1", "add a port: [::1]:7766"),
            ("[::1]", "add a port: [::1]:7766"),
            ("localhost:80", "write the IP address: 127.0.0.1:80"),
        ];
        for (text, hint) in hints {
            assert_eq!(address(text), Err(hint.to_owned()));
        }
        for text in ["", "7766", ":7766", "127.0.0.1:65536", "example.org:1"] {
            let hint = address(text).unwrap_err();
            assert!(hint.starts_with("write an IP address and a port"), "{text}");
        }
    }

    #[test]
    fn a_time_has_a_unit_and_a_bound() {
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("0s"), Ok(Duration::ZERO));
        assert_eq!(time("365days"), Ok(LONGEST));
        for text in ["", "5", "s", "-1s", "5 parsecs", "366days"] {
            assert!(time(text).is_err(), "{text}");
        }
        assert_eq!(time_above_zero("1ns"), Ok(Duration::from_nanos(1)));
        assert!(time_above_zero("0s").is_err());
    }

    #[test]
    fn a_count_is_whole() {
        assert_eq!(count("0"), Ok(0));
        assert_eq!(count("4294967295"), Ok(u32::MAX));
        assert_eq!(count_above_zero("1"), Ok(1));
        for text in ["", "-1", "1.5", "4294967296", "ten"] {
            assert!(count(text).is_err(), "{text}");
            assert!(count_above_zero(text).is_err(), "{text}");
        }
        assert!(count_above_zero("0").is_err());
    }

    #[test]
    fn bytes_may_have_a_unit() {
        assert_eq!(bytes("0"), Ok(0));
        assert_eq!(bytes("8191B"), Ok(8_191));
        assert_eq!(bytes("64KiB"), Ok(65_536));
        assert_eq!(bytes("1 MiB"), Ok(1_048_576));
        assert_eq!(bytes("3GiB"), Ok(3_221_225_472));
        let most = bytes("4GiB").unwrap_err();
        assert_eq!(most, "write 4294967295 bytes or fewer");
        for text in ["", "MiB", "1MB", "1.5MiB", "-1", "4294967296", "1MiBs"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_frame_and_a_queue_have_bounds() {
        assert_eq!(frame("4KiB"), Ok(4_096));
        assert_eq!(frame("512KiB"), Ok(524_288));
        for text in ["0", "4095", "524289", "1MiB", "much"] {
            assert!(frame(text).is_err(), "{text}");
        }
        assert_eq!(queue("64KiB"), Ok(65_536));
        assert_eq!(queue("4294967295"), Ok(u32::MAX));
        for text in ["0", "65535", "4GiB", "much"] {
            assert!(queue(text).is_err(), "{text}");
        }
    }
}
