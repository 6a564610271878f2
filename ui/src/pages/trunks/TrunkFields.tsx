import type { ReactNode } from "react";
import { Check } from "../../kit/Check";
import { Field } from "../../kit/Field";
import { Select } from "../../kit/Select";
import { useWords } from "../../words";
import { CHOICES, type ChoiceName, type Faults, type FieldName, type TrunkForm } from "./form";

interface Props {
  form: TrunkForm;
  onChange: (form: TrunkForm) => void;
  faults: Faults;
  isNew: boolean;
  hasPassword: boolean;
}

/** What standards name is the same in every language. */
const NAMES: Partial<Record<string, string>> = {
  udp: "UDP", tcp: "TCP", tls: "TLS", from: "From", p_asserted_identity: "P-Asserted-Identity", p_preferred_identity: "P-Preferred-Identity", remote_party_id: "Remote-Party-ID",
};

const EXAMPLE = "sip:203.0.113.10:5060, sip:carrier.example";

/** Names of the plain fields whose values are numbers. */
const NUMERIC: readonly string[] = ["calls_max", "options_secs", "setup_secs"];

/** The fields of a trunk: the usual ones, and the rare ones folded. */
export function TrunkFields({ form, onChange, faults, isNew, hasPassword }: Props) {
  const t = useWords();
  const fault = (name: FieldName): string | undefined => {
    const found = faults[name];
    return found === undefined ? undefined : "sentence" in found ? found.sentence : t(`trunks.fault_${found.word}`);
  };
  const set = (change: Partial<TrunkForm>) => onChange({ ...form, ...change });
  const field = (name: Exclude<FieldName, "register" | ChoiceName>, help?: ReactNode) => (
    <Field key={name} label={t(`trunks.f_${name}`)} value={form[name]} onChange={(value) => set({ [name]: value })} autoComplete={name === "password" ? "new-password" : "off"} fault={fault(name)} help={help}
      {...(name === "password" ? { type: "password" as const } : {})} {...(NUMERIC.includes(name) ? { inputMode: "numeric" as const } : name === "calls_per_sec" ? { inputMode: "decimal" as const } : {})} />
  );
  const choice = (name: ChoiceName) => (
    <Select key={name} label={t(`trunks.f_${name}`)} value={form[name]} onChange={(value) => set({ [name]: value })} fault={fault(name)} options={CHOICES[name].map((it) => ({ value: it as string, label: NAMES[it] ?? t(`trunks.${name}_${it === "" ? "none" : it}` as "trunks.transport_none") }))} />
  );
  return (
    <>
      {isNew ? field("name", t("trunks.h_name")) : null}
      {field("uri", t("trunks.h_uri", { example: EXAMPLE }))}
      {choice("transport")}
      <div className="pair">{field("username", t("trunks.h_username"))}{field("password", t(hasPassword ? "trunks.h_passwordKept" : "trunks.h_password"))}</div>
      <Check label={t("trunks.f_register")} isOn={form.register} onChange={(register) => set({ register })} help={fault("register") ?? t("trunks.h_register")} />
      <div className="pair">{field("calls_max", t("trunks.h_calls_max"))}{field("calls_per_sec", t("trunks.h_calls_per_sec"))}</div>
      {field("allow", t("trunks.h_allow"))}
      <details className="rare">
        <summary>{t("trunks.rare")}</summary>
        <div className="form">
          {field("deny", t("trunks.h_deny"))}
          <div className="pair">{field("add_prefix", t("trunks.h_add_prefix"))}{field("strip_prefix", t("trunks.h_strip_prefix"))}</div>
          {choice("caller_id_header")}
          {choice("rtp_follow")}
          <div className="pair">{field("options_secs", t("trunks.h_options_secs"))}{field("setup_secs", t("trunks.h_setup_secs"))}</div>
          <div className="pair">{field("domain", t("trunks.h_domain"))}{field("from_domain", t("trunks.h_from_domain"))}</div>
          <div className="pair">{field("realm", t("trunks.h_realm"))}{field("region", t("trunks.h_region"))}</div>
          {field("ca_file", t("trunks.h_ca_file"))}
        </div>
      </details>
    </>
  );
}
