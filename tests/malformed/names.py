"""Names that nobody should give: every place where a name becomes a path, a rule or a part of a command gets each."""

from __future__ import annotations

# None may be refused for its place alone: each is tried as a study, a game, a variant, a settings file and so on.
# `CANARY` is a file that must never come to be.
HOSTILE = (
    # out of the folder
    "..", ".", "../x", "../../etc/passwd", "/", "/etc/passwd", "//etc/passwd", "~", "~root", "~/x", "x/../y", "x/./y",
    "x/", "./x", "x//y", "..\\..\\x", "C:\\x", "\\\\host\\share", "file:///etc/passwd", "%2e%2e%2fx", "..%00x",
    "....//x", "/dev/zero", "/dev/stdin", "/proc/self/environ", "results", "x/y",
    # bytes that end or split a text
    "x\0y", "\0", "x\ny", "x\n", "\nx", "x\r", "x\ty", "x\x1b[31my", "x\x07", "x\x7f", "x\u2028y", "x\u0085y",
    "\ufeffx", "x\u200by", "x\u202ey", "x\u0000.yaml",
    # a shell's characters
    "$(touch CANARY)", "`touch CANARY`", "x; touch CANARY", "x && touch CANARY", "x | touch CANARY", "x > CANARY",
    "$HOME", "${HOME}", "x & y", "!x", "x*", "x?", "[x]", "{x,y}", "'", '"', "\\", "x y", " x", "x ", "  ", "#x", "x#y",
    "<x>", "(x)", "x'; touch CANARY; '", 'x"; touch CANARY; "', "^x", "x=y", "=x", "x@y", "x,y", ",", "x:y", ":", "::",
    "x:", ":x",
    # options
    "-", "--", "-x", "--help", "--scale", "-rf", "--into=/tmp", "-c", "@x",
    # formats and wildcards
    "{game}", "{x}", "{}", "{{x}}", "{0}", "{0.__class__}", "{x!r}", "{wildcards.game}", "%s", "%n", "%(x)s", "%", "%%",
    "$x", "{params.settings}", "{PYTHON}", "{seed,.*}", "{x:q}",
    # HTML and SQL
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&lt;x&gt;", "x\"><b>", "x' OR '1'='1",
    "x'; DROP TABLE runs; --", "</td>", "javascript:alert(1)",
    # YAML and Python
    "!!python/name:os.system", "!!python/object/apply:os.system ['touch CANARY']", "&x", "*x", "<<", "~x", "null",
    "true", "no", "1", "1.5", "1e-4", ".nan", ".inf", "0x1F", "2026-01-01", "[]", "{a: b}", "- x", "? x", "| x", "> x",
    "'x", '"x', "__import__('os').system('touch CANARY')", "__class__", "__init__", "os.system", "os:system",
    "os:system()", "builtins:eval ", "a.b:c.d", "a..b:c", ".a:b", "a.:b", "a:b:c", "a-b:c", "1a:b", "a:1b", "a:b/c",
    "a.b:c\n", "../a:b",
    # letters that look like others
    "\u0421artPole-v1", "CartPole\u2010v1", "\uff30ong", "Pon\u0261", "Po\u0301ng", "caf\u00e9", "\u202ePong",
    "P\u043eng", "\u06f1", "\u00b2", "\u2160", "\U0001f40d", "\u65e5\u672c", "\u00df", "\u0130", "\u1e9e",
    # reserved on some system, or by a file system
    "CON", "con", "NUL", "nul.txt", "AUX", "PRN", "COM1", "LPT1", "x.", "x..", ".x", ".git", ".snakemake", "lock",
    "done.json", "x" * 65, "x" * 256, "x" * 5_000, "\u00e9" * 200, "x/" * 200, ".." + "/.." * 100,
    # near misses
    "", "pong", "PONG", "Pong ", "Pong/", "Pong\0", "Pong-v5", "CartPole", "Cartpole-v1", "CartPole-v1 ",
    "CartPole-v01",
)  # fmt: skip
