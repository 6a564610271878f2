import { useEffect, useState } from "react";
import { ApiProblem } from "../../../api/call";
import { applyChange, tryChange, type CampaignChange, type CampaignText } from "../../../api/campaign-rows";
import { useMe } from "../../../session";
import { adoptChange, freshText } from "../data";
import { joinTexts, keepDraft, keptDraft, patchOfDraft, readText, withFields, withText, type Base, type Draft } from "./draft";
import type { Fields, TomlFault } from "./toml";

/** A change is tried after so long without another, in ms. */
const REST = 400;

interface Trial {
  seq: number;
  change: CampaignChange | undefined;
  problem: unknown;
}

export interface SettingsDraft {
  draft: Draft | undefined;
  /** The draft's text, else the stored one. */
  text: string;
  /** What the text or the form says; absent while the text cannot be read. */
  fields: Fields | undefined;
  fault: TomlFault | undefined;
  /** Fields of the version that the draft changes. */
  baseFields: Fields;
  trial: CampaignChange | undefined;
  trialProblem: unknown;
  isChecking: boolean;
  /** Somebody applied another version since the draft was begun. */
  isOvertaken: boolean;
  wasKept: boolean;
  setFields: (fields: Fields) => void;
  setText: (text: string) => void;
  /** Puts the draft onto the present version, with this text. */
  rebase: (text: string) => void;
  drop: () => void;
  /** @throws ApiProblem */
  apply: (note: string) => Promise<CampaignChange>;
}

const baseOf = ({ toml, etag, version }: CampaignText): Base => ({ toml, etag, version });

/** Asks the service what the draft would do, and puts the form's changes into the text. */
async function tryDraft(name: string, draft: Draft, signal: AbortSignal): Promise<{ change: CampaignChange; text: string }> {
  if (draft.fields === undefined) return { change: await tryChange(name, { toml: draft.text }, signal), text: draft.text };
  const byFields = await tryChange(name, { fields: patchOfDraft(draft, draft.fields) }, signal);
  if (draft.origin === "fields") return { change: byFields, text: byFields.toml };
  const text = joinTexts(draft, draft.fields, byFields.toml);
  return { change: await tryChange(name, { toml: text }, signal), text };
}

/** The draft of a campaign's settings: form and text as two views of one text. */
export function useDraft(campaign: CampaignText): SettingsDraft {
  const { login } = useMe().person;
  const { name } = campaign;
  const [draft, setDraft] = useState(() => keptDraft(sessionStorage, login, name));
  const [wasKept, setWasKept] = useState(draft !== undefined);
  const [trial, setTrial] = useState<Trial>();
  const base = draft?.base ?? baseOf(campaign);

  useEffect(() => keepDraft(sessionStorage, login, name, draft), [login, name, draft]);

  const isTried = draft === undefined || trial?.seq === draft.seq;
  useEffect(() => {
    if (isTried) return;
    const ended = new AbortController();
    const timer = setTimeout(() => {
      tryDraft(name, draft, ended.signal).then(
        ({ change, text }) => {
          if (ended.signal.aborted) return;
          setTrial({ seq: draft.seq, change, problem: undefined });
          // Where form and text were both used, the joined text is the draft from now on; else the form keeps what was typed.
          setDraft((now) => (now?.seq !== draft.seq ? now : { ...now, text, fields: draft.origin === "fields" ? now.fields : undefined }));
        },
        (problem: unknown) => {
          if (!ended.signal.aborted) setTrial({ seq: draft.seq, change: undefined, problem });
        },
      );
    }, REST);
    return () => {
      clearTimeout(timer);
      ended.abort();
    };
    // `draft` changes its text after its trial, and that needs no other.
  }, [name, draft?.seq, isTried]);

  const read = readText(draft?.text ?? base.toml);
  const change = (next: Draft | undefined) => {
    setWasKept(false);
    setDraft(next);
    if (next === undefined) setTrial(undefined);
  };
  return {
    draft, wasKept,
    text: draft?.text ?? base.toml,
    fields: draft?.fields ?? read.fields,
    fault: draft?.fields === undefined ? read.fault : undefined,
    baseFields: readText(base.toml).fields ?? {},
    trial: draft === undefined ? undefined : trial?.change,
    trialProblem: isTried ? trial?.problem : undefined,
    isChecking: !isTried,
    isOvertaken: draft !== undefined && draft.base.etag !== campaign.etag,
    setFields: (fields) => change(withFields(base, draft, fields)),
    setText: (text) => change(withText(base, draft, text)),
    rebase: (text) => change(withText(baseOf(campaign), draft, text)),
    drop: () => change(undefined),
    apply: async (note) => {
      if (draft === undefined) throw new Error("nothing to apply");
      const wanted = draft.origin === "fields" && draft.fields !== undefined ? { fields: patchOfDraft(draft, draft.fields) } : { toml: draft.text };
      try {
        const applied = await applyChange(name, wanted, draft.base.etag, note.trim());
        change(undefined);
        adoptChange(name, applied);
        return applied;
      } catch (problem) {
        if (problem instanceof ApiProblem && problem.status === 412) await freshText(name);
        throw problem;
      }
    },
  };
}
