//! What conditions result in.

use super::result;

#[test]
fn conditions_hold() {
    for text in [
        // Operators and precedence.
        "true",
        "!false && !!true",
        "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 - 2 - 1 == 4 && -7 / 2 == -3 && -7 % 2 == -1",
        "true || false && false",
        "false ? false : true ? true : false",
        "-9223372036854775808 < 0 && 1.5 + 1.5 == 3.0 && 2u * 3u == 6u",
        "1 == 1.0 && 1u == 1 && 1 < 1.5 && 2.5 > 2u && 1 != 2.0",
        "9007199254740993 != 9007199254740992.0 && 9223372036854775807 < 1e300",
        "'a' + 'b' == \"ab\" && 'a' < 'b' && 'é'.size() == 1",
        "[1, 2] + [3] == [1, 2, 3] && 2 in [1, 2] && !('2' in [1, 2]) && [1, [2]] == [1.0, [2u]]",
        "'1' != 1 && null == null && [] != null && 1 != null",
        // Attributes.
        "subject.role == 'editor' && subject['level'] >= 3 && subject.groups[1] == 'b'",
        "has(context.hour) && !has(context.minute) && has(subject.manager) && subject.manager == null",
        "'alice' in resource.acl && action.name in resource.acl[subject.id] && !('eve' in resource.acl) && !(1 in resource.acl)",
        "resource.size > 10 && resource.big > 9007199254740990 && resource.big == 9007199254740991u",
        "context['été']",
        // Macros.
        "subject.groups.all(g, g in ['a', 'b', 'c']) && subject.groups.exists(g, g == 'b')",
        "subject.groups.exists_one(g, g > 'a') && [].all(x, false) && ![].exists(x, true)",
        "resource.items.filter(i, has(i.price)).map(i, i.price * 2) == [6, 10]",
        "resource.acl.exists(name, name == subject.id) && resource.acl.map(name, name) == ['alice', 'bob']",
        "[[1, 2], [3]].all(row, row.exists(cell, cell == row[0]))",
        "[1, 2].all(x, [3].all(y, [x, y].exists(x, x == 3)) && x < 3)",
        // A term that decides hides the error of another one.
        "context.none == 1 || true",
        "true || 1 / 0 == 1",
        "!(context.none == 1 && false)",
        "resource.items.exists(i, i.price == 5)",
        "[1, 0].exists(x, 1 / x == 1) && ![0, 1].all(x, 1 / x == 2)",
        // Texts.
        "context.ip.startsWith('192.') && context.ip.endsWith('.7') && context.ip.contains('.0.')",
        r"context.ip.matches(r'^\d+(\.\d+){3}$') && !context.ip.matches('^2') && ''.matches('')",
        "size('abc') == 3 && size([1]) == 1 && size(resource.acl) == 2",
        // Conversions.
        "int('12') == 12 && int(3.9) == 3 && int(-3.9) == -3 && uint(3) == 3u && double('1.5') == 1.5 && double(2) == 2.0",
        "string(12) == '12' && string(true) == 'true' && string(now) == '2026-11-22T10:20:30.25Z'",
        // Times.
        "now < timestamp(tuple.until) && now - timestamp(resource.since) == duration('2h20m30.25s')",
        "now + duration('24h') > now && now - duration('-1s') > now && duration('90s') == duration('1m30s')",
        "now.getFullYear() == 2026 && now.getMonth() == 10 && now.getDate() == 22 && now.getDayOfMonth() == 21",
        "now.getDayOfWeek() == 0 && now.getDayOfYear() == 325 && now.getHours() == 10 && now.getMinutes() == 20",
        "now.getSeconds() == 30 && now.getMilliseconds() == 250 && now.getHours('+02:30') == 12 && now.getHours('-11:00') == 23",
        "duration('1h30m').getMinutes() == 90 && int(timestamp('1970-01-01T00:01:00Z')) == 60 && timestamp(60) < now",
        "timestamp('0001-01-01T00:00:00Z') == timestamp(-62135596800) && timestamp('9999-12-31T23:59:59.999999999Z') > now",
        "timestamp('0000-12-31T23:59:00-00:01') == timestamp('0001-01-01T00:00:00Z')",
        "// a comment\n true // another",
    ] {
        assert_eq!(result(text), Ok(true), "{text}");
    }
}

#[test]
fn conditions_do_not_hold() {
    for text in [
        "false",
        "1 == 2",
        "subject.role == 'owner'",
        "context.hour < 9 || context.hour > 17",
        "double('nan') == double('nan')",
    ] {
        assert_eq!(result(text), Ok(false), "{text}");
    }
}
