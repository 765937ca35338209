//! The DER structures for RSA keys between a JWK and the crypto provider (RFC 8017 appendix A.1, RFC 5208 section 5):
//! sequences of unsigned integers.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;

/// Writes a sequence of unsigned big-endian integers.
pub(crate) fn write_integers(integers: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for integer in integers {
        let significant = strip_zeros(integer);
        let mut value = Vec::with_capacity(significant.len() + 1);
        // A leading set bit would make the number negative, and zero still needs a byte.
        if significant.first().is_none_or(|byte| byte & 0x80 != 0) {
            value.push(0);
        }
        value.extend_from_slice(significant);
        write_value(&mut body, INTEGER, &value);
    }
    let mut sequence = Vec::with_capacity(body.len() + 4);
    write_value(&mut sequence, SEQUENCE, &body);
    sequence
}

pub(crate) fn strip_zeros(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

fn write_value(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    let length = value.len().to_be_bytes();
    let length = strip_zeros(&length);
    match (value.len(), u8::try_from(length.len())) {
        (short @ 0..=0x7f, _) => out.push(u8::try_from(short).unwrap_or(0)),
        (_, Ok(count)) => {
            out.push(0x80 | count);
            out.extend_from_slice(length);
        }
        (_, Err(_)) => {}
    }
    out.extend_from_slice(value);
}

/// Reads the integers of the `RSAPrivateKey` inside a PKCS #8 document, without the leading version.
pub(crate) fn read_pkcs8_rsa(document: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (info, _) = read_value(document, SEQUENCE)?;
    let (_version, rest) = read_value(info, INTEGER)?;
    let (_algorithm, rest) = read_value(rest, SEQUENCE)?;
    let (key, _) = read_value(rest, OCTET_STRING)?;
    let (mut body, _) = read_value(key, SEQUENCE)?;
    let (_version, rest) = read_value(body, INTEGER)?;
    body = rest;
    let mut integers = Vec::new();
    while !body.is_empty() {
        let (integer, rest) = read_value(body, INTEGER)?;
        integers.push(strip_zeros(integer).to_vec());
        body = rest;
    }
    Some(integers)
}

fn read_value(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if length.len() > size_of::<usize>() {
            return None;
        }
        (length.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte)), rest)
    };
    rest.split_at_checked(length)
}
