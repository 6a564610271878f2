import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useLocation, useNavigate } from "react-router";
import { useQuery } from "@tanstack/react-query";
import { search, type Hit } from "../api/leads-table";
import type { Campaign } from "../api/words";
import { useCampaigns, useSeats } from "../live/stores";
import { useCampaignTitles } from "../pages/campaigns/titles";
import { PAGES } from "../pages";
import { useMe } from "../session";
import { hasWord, useWords, type Translate } from "../words";
import { visible } from "../words/format";
import { narrow } from "../words/width";

/** How long typing rests before the service is asked, in ms, and how much is typed at least. */
const REST = 200;
const LEAST = 2;

interface Found {
  id: string;
  title: string;
  detail?: string | undefined;
  kind: string;
  href: string;
}

/** Entries shown at once. */
const SHOWN = 20;
/** Campaigns in whose leads a text can be looked for. */
const IN_LEADS = 5;

/** What the service finds for a text that rests; nothing while an input method composes it. */
function useHits(text: string, isComposing: boolean): { hits: Hit[]; isAsking: boolean } {
  const [asked, setAsked] = useState("");
  useEffect(() => {
    if (isComposing) return;
    const timer = setTimeout(() => setAsked(text), REST);
    return () => clearTimeout(timer);
  }, [text, isComposing]);
  const { data, isFetching } = useQuery({
    queryKey: ["search", asked],
    queryFn: async ({ signal }) => (await search(asked, signal)).items,
    enabled: asked.length >= LEAST,
    placeholderData: (before) => before,
  });
  if (text.length < LEAST) return { hits: [], isAsking: false };
  return { hits: asked.length < LEAST ? [] : (data ?? []), isAsking: isFetching || asked !== text };
}

/** The service looks for names in a few open campaigns and for a short while; a campaign's own page finds all of its leads. */
function inLeads(q: string, campaigns: readonly Campaign[], here: string, t: Translate): Found[] {
  const open = [...campaigns].sort((a, b) => Number(b.name === here) - Number(a.name === here));
  // The campaign whose page is open may not be open itself.
  const known: readonly Pick<Campaign, "name" | "title">[] = here === "" || here === "new" || open.some((it) => it.name === here) ? open : [{ name: here, title: null }, ...open];
  return known.slice(0, IN_LEADS).map((it) => ({
    id: `in:${it.name}`, title: t("frame.paletteIn", { q: visible(q), title: visible(it.title || it.name) }), kind: t("frame.kind_lead"), href: `/campaigns/${encodeURIComponent(it.name)}/leads?q=${encodeURIComponent(q)}`,
  }));
}

/** Ctrl+K: pages, campaigns and agents that the account may see, found as one types; below them what the service finds. */
export function Palette({ onClose }: { onClose: () => void }) {
  const t = useWords();
  const { rights } = useMe();
  const navigate = useNavigate();
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [isComposing, setComposing] = useState(false);
  const [at, setAt] = useState(0);
  const id = useId();
  const campaigns = useCampaigns();
  const seats = useSeats();
  const here = decodeURIComponent(/^\/campaigns\/([^/]+)\//.exec(useLocation().pathname)?.[1] ?? "");

  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);

  const all = useMemo<Found[]>(() => [
    ...PAGES.flatMap((page) => page.entry !== undefined && rights.has(page.right) ? [{ id: page.path, title: t(page.entry), kind: t("frame.palettePages"), href: `/${page.path}` }] : []),
    ...(rights.has("campaigns.read") ? campaigns : []).map((it) => ({ id: `c:${it.name}`, title: it.title ? `${it.title} (${it.name})` : it.name, kind: t("frame.paletteCampaigns"), href: `/campaigns/${encodeURIComponent(it.name)}/live` })),
    ...(rights.has("floor.read") ? seats : []).map((it) => ({ id: `a:${it.agent}`, title: `${it.agent} ${it.name ?? ""}`, kind: t("frame.paletteAgents"), href: `/floor?q=${encodeURIComponent(it.agent)}` })),
  ], [campaigns, seats, rights, t]);
  const wanted = text.trim().toLowerCase();
  const q = narrow(text).trim();
  const { hits, isAsking } = useHits(q, isComposing);
  const title = useCampaignTitles(hits.map((hit) => (hit.kind === "lead" ? hit.detail : null)));
  const known = all.filter((it) => it.title.toLowerCase().includes(wanted)).slice(0, SHOWN);
  const found: Found[] = [...known, ...hits.filter((hit) => !known.some((it) => it.href === hit.href)).map((hit) => {
    const kind = `frame.kind_${hit.kind}`;
    // What a lead's hit tells is the campaign's name.
    const detail = hit.detail === null ? undefined : hit.kind === "lead" ? title(hit.detail) : visible(hit.detail);
    return { id: `${hit.kind}:${hit.id}`, title: visible(hit.title), detail, kind: hasWord(kind) ? t(kind) : hit.kind, href: hit.href };
  }), ...(rights.has("campaigns.read") && q.length >= LEAST ? inLeads(q, campaigns, here, t) : [])];
  const chosen = Math.min(at, found.length - 1);

  const open = (it: Found | undefined) => {
    if (!it) return;
    onClose();
    void navigate(it.href);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setAt((chosen + step + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") open(found[chosen]);
  };
  return (
    <dialog ref={dialog} className="palette" aria-label={t("frame.find")} onClose={onClose} onCancel={(event) => { event.preventDefault(); onClose(); }}
      onClick={(event) => { if (event.target === dialog.current) onClose(); }}>
      <input role="combobox" aria-expanded="true" aria-controls={id} aria-activedescendant={found[chosen] ? `${id}-${chosen}` : undefined} aria-label={t("frame.palette")}
        placeholder={t("frame.palette")} value={text} autoFocus onCompositionStart={() => setComposing(true)} onCompositionEnd={() => setComposing(false)} onChange={(event) => { setText(event.target.value); setAt(0); }} onKeyDown={onKeyDown} />
      {isAsking ? <p className="empty" role="status">{t("frame.paletteAsking")}</p> : found.length === 0 ? <p className="empty" role="status">{t("frame.paletteEmpty", { q: text })}</p> : null}
      <ul id={id} role="listbox" aria-label={t("frame.find")}>
        {found.map((it, n) => (
          <li key={it.id} id={`${id}-${n}`} role="option" aria-selected={n === chosen} ref={(entry) => { if (n === chosen) entry?.scrollIntoView({ block: "nearest" }); }} onClick={() => open(it)} onPointerMove={() => setAt(n)}>
            <span>{it.title}</span>{it.detail === undefined ? null : <span className="detail">{it.detail}</span>}<span className="kind">{it.kind}</span>
          </li>
        ))}
      </ul>
    </dialog>
  );
}
