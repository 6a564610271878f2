/** The text that a new campaign begins with. Pure. */
import type { Mode } from "../../api/words";

/** A basic string of TOML. */
export const quoted = (text: string): string =>
  `"${text.replace(/[\\"]/g, "\\$&").replace(/[\u0000-\u001f\u007f]/g, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`;

const CALLING = `[calling]
ring_secs = 45
timezone = "Asia/Shanghai"
windows = [{ days = "mon-sun", from = "08:00", to = "21:00" }]

[retry]
attempts_max = 3                        # per number
per_day_max = 3                         # per number, over all campaigns
gap_min = "30m"
[retry.after]                           # an outcome that is not named is final
no_answer = "2h"
busy = "10m"
powered_off = "4h"
unreachable = "1h"
`;

const ANNOUNCE = `[announcement]
file = ""                               # a sound of the audio page
plays = 1
input_wait_secs = 5

[keys]
1 = { result = "agree" }
2 = { result = "against" }
3 = { result = "abstain" }
9 = { repeat = true }
"*" = { blacklist = true }              # do not call me again
`;

const DISPOSITIONS = `[[dispositions]]
code = "agree"
label = "同意"
state = "done"

[[dispositions]]
code = "against"
label = "反对"
state = "done"

[[dispositions]]
code = "call_later"
label = "稍后再打"
state = "open"
retry = "2h"

[[dispositions]]
code = "wrong_number"
label = "号码有误"
state = "failed"
wrong_number = true

[[dispositions]]
code = "unsaid"
label = "未填小结"
state = "failed"
default = true
`;

const PACING: Partial<Record<Mode, string>> = {
  ratio: "[pacing]\ncall_ratio = 1.5                        # lines for each idle agent\nabandon_rate_pct_max = 3.0              # a ceiling, not a target\n",
  predictive: "[pacing]\nabandon_rate_pct_max = 3.0              # a ceiling, not a target\n",
};

export function sampleText({ name, title, mode, group }: { name: string; title: string; mode: Mode; group: string }): string {
  const head = `name = ${quoted(name)}\ntitle = ${quoted(title)}\nmode = "${mode}"\n`;
  const agents = `[agents]\ngroup = ${quoted(group)}\nwrap_up_secs = 20\n`;
  const parts = mode === "announce" ? [head, CALLING, ANNOUNCE] : [head, CALLING, PACING[mode], agents, DISPOSITIONS];
  return parts.filter((it) => it !== undefined).join("\n");
}

export const isName = (name: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(name);
