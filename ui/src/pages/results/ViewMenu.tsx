import { useState, type FormEvent } from "react";
import { useNavigate } from "react-router";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Field } from "../../kit/Field";
import { Menu, type MenuEntry } from "../../kit/Menu";
import { Select } from "../../kit/Select";
import { problemWords } from "../../kit/States";
import { offerSaved, offerUndo } from "../../kit/undo";
import { useMe } from "../../session";
import { useSearch } from "../../use-search";
import { useWords } from "../../words";
import { visible } from "../../words/format";
import { useGroups } from "../people/data";
import { changeView, deleteView, saveView, useViews } from "./view-data";
import { addressOf, isChanged, keptQuery, type View } from "./views";

/** The saved views: opens one, saves what the address shows, renames, shares, deletes. `columns` = those that are shown. */
export function ViewMenu({ columns }: { columns: readonly string[] }) {
  const t = useWords();
  const navigate = useNavigate();
  const [search] = useSearch();
  const [asked, setAsked] = useState<"new" | "edit" | "delete">();
  const [refusal, setRefusal] = useState<string>();
  const offline = useOfflineReason();
  const views = useViews().data ?? [];
  const present = views.find((it) => String(it.id) === search.get("view"));
  const open = (view: View) => void navigate(addressOf(view));
  const item = (view: View): MenuEntry => ({
    id: String(view.id), chosen: view.id === present?.id, onChoose: () => open(view),
    label: view.own ? visible(view.name) : t("views.of", { name: visible(view.name), owner: visible(view.owner_name ?? view.owner ?? "") }),
  });
  const own = views.filter((it) => it.own);
  const shared = views.filter((it) => !it.own);
  const keep = async (view: View) => {
    setRefusal(undefined);
    try {
      const before = { query: view.query, columns: view.columns };
      const saved = await changeView(view, { query: keptQuery(search), columns: [...columns] });
      open(saved);
      offerSaved(t, async () => open(await changeView(saved, before)));
    } catch (problem) {
      setRefusal(problemWords(problem, t));
    }
  };
  const differs = present !== undefined && isChanged(present, search, columns);
  const entries: MenuEntry[] = [
    ...(own.length === 0 ? [] : [{ title: t("views.own") }, ...own.map(item)]),
    ...(shared.length === 0 ? [] : [{ title: t("views.shared") }, ...shared.map(item)]),
    ...(views.length === 0 ? [] : ["rule" as const]),
    ...(present?.own ? [
      { id: "keep", label: t("views.keep", { name: visible(present.name) }), refusal: offline ?? (differs ? undefined : t("views.asSaved")), onChoose: () => void keep(present) },
      { id: "edit", label: t("views.edit"), refusal: offline, onChoose: () => setAsked("edit") },
      { id: "delete", label: t("views.delete"), refusal: offline, onChoose: () => setAsked("delete") },
    ] : []),
    { id: "new", label: t("views.save"), refusal: offline, onChoose: () => setAsked("new") },
  ];
  return (
    <>
      {refusal === undefined ? null : <span className="refusal" role="alert">{refusal}</span>}
      <Menu size="small" entries={entries}>{present === undefined ? t("views.title") : `${visible(present.name)}${differs ? t("views.changed") : ""}`} ▾</Menu>
      {asked === "new" ? <ViewForm columns={columns} onSaved={open} onClose={() => setAsked(undefined)} /> : null}
      {asked === "edit" && present ? <ViewForm view={present} columns={columns} onSaved={() => undefined} onClose={() => setAsked(undefined)} /> : null}
      {asked === "delete" && present ? <AskDelete view={present} onClose={() => setAsked(undefined)} /> : null}
    </>
  );
}

/** Name of a view and the group that sees it; of a new one, what the address shows goes along. */
function ViewForm({ view, columns, onSaved, onClose }: { view?: View; columns: readonly string[]; onSaved: (view: View) => void; onClose: () => void }) {
  const t = useWords();
  const { person } = useMe();
  const [search] = useSearch();
  const [name, setName] = useState(view?.name ?? "");
  const [group, setGroup] = useState(view?.group ?? "");
  const [fault, setFault] = useState<string>();
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);
  const all = useGroups().data ?? [];
  const isOwn = (it: string) => person.groups.some((member) => member.group === it);
  // A shift lead shares with the groups that it leads; who sees all groups shares with any.
  const groups = person.role === "lead" || person.role === "agent" ? all.filter((it) => isOwn(it.name)) : all;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    if (name.trim() === "") return setFault(t("views.nameMissing"));
    setBusy(true);
    setFault(undefined);
    setRefusal(undefined);
    try {
      if (view) {
        onSaved(await changeView(view, { name: name.trim(), group }));
        offerSaved(t);
      } else onSaved(await saveView({ name: name.trim(), group: group === "" ? null : group, query: keptQuery(search), columns: [...columns] }));
      onClose();
    } catch (problem) {
      setRefusal(problemWords(problem, t));
      setBusy(false);
    }
  };
  return (
    <Dialog title={t(view ? "views.edit" : "views.save")} onClose={onClose}
      buttons={<><Button onClick={onClose}>{t("common.cancel")}</Button><Button kind="primary" type="submit" form="view-form" busy={busy}>{t("views.saveNow")}</Button></>}>
      <form id="view-form" className="form" noValidate onSubmit={(event) => void submit(event)}>
        <Field label={t("views.name")} value={name} onChange={setName} maxLength={64} autoComplete="off" autoFocus fault={fault} />
        <Select label={t("views.group")} value={group} onChange={setGroup} options={[{ value: "", label: t("views.onlyMe") }, ...groups.map((it) => ({ value: it.name, label: visible(it.name) }))]} help={t("views.groupHelp")} />
      </form>
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </Dialog>
  );
}

function AskDelete({ view, onClose }: { view: View; onClose: () => void }) {
  const t = useWords();
  const [, set] = useSearch();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const remove = async () => {
    setBusy(true);
    try {
      await deleteView(view);
      // The filters stay: what they show has not changed.
      set({ view: null });
      const { name, query, columns, group } = view;
      offerUndo(t("kit.removedNow", { name: visible(name) }), () => saveView({ name, query, columns, group }));
      onClose();
    } catch (problem) {
      setRefusal(problemWords(problem, t));
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("views.deleteOne", { name: visible(view.name) })} onClose={onClose}
      buttons={<><Button onClick={onClose}>{t("common.cancel")}</Button><Button kind="danger" busy={busy} onClick={() => void remove()}>{t("views.delete")}</Button></>}>
      <p>{view.group === null ? t("views.askDelete") : t("views.askDeleteShared", { group: visible(view.group) })}</p>
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </Dialog>
  );
}
