import { useState } from "react";
import type { CampaignText } from "../../../api/campaign-rows";
import { Button } from "../../../kit/Button";
import { joinBlocks, mergeBlocks, type Block, type Side } from "../../../kit/lines";
import { TextEditor } from "../../../kit/TextEditor";
import { useWords } from "../../../words";
import { visible } from "../../../words/format";
import type { Draft } from "./draft";

const SIDES: readonly Side[] = ["mine", "theirs", "base"];
const TAKE = { mine: "settings.takeMine", theirs: "settings.takeTheirs", base: "settings.takeBase" } as const;

/** Two changes of one text beside each other. Nothing is lost: each part is chosen, and the result can be edited. */
export function ThreeWay({ draft, present, onUse, onClose }: { draft: Draft; present: CampaignText; onUse: (text: string) => void; onClose: () => void }) {
  const t = useWords();
  const [blocks] = useState(() => mergeBlocks(draft.base.toml, draft.text, present.toml));
  const [chosen, setChosen] = useState<Record<number, Side>>({});
  const [edited, setEdited] = useState<string>();
  const side = (n: number): Side => chosen[n] ?? "mine";
  const text = edited ?? joinBlocks(blocks, (_, n) => side(n));
  const differing = blocks.map((block, n) => ({ block, n })).filter(({ block }) => block.kind !== "same");
  const conflicts = differing.filter(({ block }) => block.kind === "conflict");
  const choose = (n: number, it: Side) => {
    setChosen({ ...chosen, [n]: it });
    setEdited(undefined);
  };
  return (
    <section className="card" aria-label={t("settings.mergeTitle", { n: present.version })}>
      <header><h2>{t("settings.mergeTitle", { n: present.version })}</h2></header>
      <div className="body settings">
        <p>{conflicts.length === 0 ? t("settings.noConflict") : t("settings.mergeHelp")}</p>
        <div className="merge-parts">
          {differing.map(({ block, n }) => <Part key={n} block={block} place={conflicts.findIndex((it) => it.n === n) + 1} chosen={side(n)} onChoose={(it) => choose(n, it)} />)}
        </div>
        <h3>{t("settings.merged")}</h3>
        <TextEditor label={t("settings.merged")} text={text} onChange={setEdited} rows={16} />
        <div className="action">
          <Button kind="primary" onClick={() => onUse(text)}>{t("settings.useMerged")}</Button>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
        </div>
      </div>
    </section>
  );
}

function Part({ block, place, chosen, onChoose }: { block: Block; place: number; chosen: Side; onChoose: (side: Side) => void }) {
  const t = useWords();
  const isConflict = block.kind === "conflict";
  const taken: Side = isConflict ? chosen : block.kind === "theirs" ? "theirs" : "mine";
  const who = block.kind === "theirs" ? t("settings.theirs") : t("settings.mine");
  return (
    <div className={isConflict ? "merge-part conflict" : "merge-part"}>
      <h3>{isConflict ? t("settings.part", { n: place }) : block.kind === "both" ? `${t("settings.mine")} = ${t("settings.theirs")}` : t("settings.partOne", { who })}</h3>
      <div className="merge-sides">
        {SIDES.map((side) => (
          <div key={side} className={taken === side ? "taken" : undefined}>
            <h4>{t(`settings.${side}`)}</h4>
            <pre>{block[side].length === 0 ? <span className="hint">{t("settings.emptyPart")}</span> : visible(block[side].join("\u2028")).split("\u2028").join("\n")}</pre>
            {isConflict ? <span><Button size="small" kind={taken === side ? "primary" : undefined} onClick={() => onChoose(side)}>{taken === side ? "✓ " : ""}{t(TAKE[side])}</Button></span> : null}
          </div>
        ))}
      </div>
    </div>
  );
}
