import { expect, test } from "vitest";
import { changeOf, faultsOf, formOf, NEW, settingsOf } from "./form";

test("a change is what differs, and a password that was not typed is not sent", () => {
  const settings = { uri: "sip:203.0.113.10", username: "7550", password: "", register: true, calls_max: 60, calls_per_sec: 20, options_secs: 30, setup_secs: null, allow: ["1*", "0755*"], deny: [], transport: null, domain: "", realm: "", from_domain: "", ca_file: "", region: "", add_prefix: "", strip_prefix: "", caller_id_header: "from", rtp_follow: "auto" };
  const form = formOf("main", settings);
  expect(form.allow).toBe("1*, 0755*");
  expect(changeOf(form, settings)).toEqual({});
  expect(changeOf({ ...form, calls_max: "90", password: "new", allow: "" }, settings)).toEqual({ calls_max: 90, password: "new", allow: null });
  expect(settingsOf({ ...form, deny: "021*、00*" })["deny"]).toEqual(["021*", "00*"]);
});

test("what cannot be a trunk is seen before it is sent", () => {
  expect(Object.keys(faultsOf(NEW, true))).toEqual(["name", "uri"]);
  const whole = { ...NEW, name: "main", uri: "sip:203.0.113.10" };
  expect(faultsOf(whole, true)).toEqual({});
  expect(Object.keys(faultsOf({ ...whole, calls_max: "0", calls_per_sec: "fast", options_secs: "-1", setup_secs: "2" }, true))).toEqual(["calls_max", "calls_per_sec", "options_secs", "setup_secs"]);
  expect(faultsOf({ ...whole, calls_max: "６０" }, false)).toEqual({});
});
