import { useState } from "react";
import { keyName, type Key } from "../../keys/keys";
import { useKey } from "../../keys/use-key";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { useWords, type PlainKey } from "../../words";
import { DESK_KEYS, DIGITS } from "./keys";

const ROWS: [Key, PlainKey][] = [
  [DESK_KEYS.pause, "desk.keyPause"], [DESK_KEYS.dial, "desk.dial"], [DESK_KEYS.hangUp, "desk.hangUp"], [DESK_KEYS.hold, "desk.keyHold"],
  [DESK_KEYS.mute, "desk.keyMute"], [DESK_KEYS.keypad, "desk.keypad"], [DESK_KEYS.consult, "desk.consult"], [DESK_KEYS.takeBack, "desk.takeBack"],
  [DESK_KEYS.transfer, "desk.transfer"], [DESK_KEYS.conference, "desk.conference"], [DESK_KEYS.record, "desk.record"], [DESK_KEYS.callback, "desk.callback"],
  [DESK_KEYS.save, "desk.save"], [DESK_KEYS.next, "desk.next"], [DESK_KEYS.extend, "desk.moreTime"], [DESK_KEYS.skip, "desk.skip"],
  [DESK_KEYS.correct, "desk.correct"], [DESK_KEYS.card, "desk.card"], [DESK_KEYS.summary, "desk.summary"], [DESK_KEYS.list, "desk.tasks"], [DESK_KEYS.call, "desk.manual"],
];

/** Every key of the desk, on `Ctrl+/`. */
export function KeysHelp() {
  const t = useWords();
  const [isOpen, setOpen] = useState(false);
  useKey(DESK_KEYS.help, () => setOpen(true));
  if (!isOpen) return null;
  const close = () => setOpen(false);
  return (
    <Dialog title={t("desk.keys")} onClose={close} buttons={<Button onClick={close}>{t("common.close")}</Button>}>
      <dl className="key-list">
        {ROWS.map(([key, word]) => <div key={word}><dt><kbd>{keyName(key)}</kbd></dt><dd>{t(word)}</dd></div>)}
        <div><dt><kbd>{keyName(DIGITS[0] ?? DESK_KEYS.help)}…9</kbd></dt><dd>{t("desk.disposition")}</dd></div>
        <div><dt><kbd>Ctrl+K</kbd></dt><dd>{t("frame.find")}</dd></div>
      </dl>
    </Dialog>
  );
}
