import type { Key } from "../../keys/keys";
import { keyName } from "../../keys/keys";
import { useKey } from "../../keys/use-key";
import { Button } from "../../kit/Button";
import { useRef, type ReactNode } from "react";
import { useAction } from "../../use-action";
import { announce } from "./announce";
import { act, type AgentAction } from "./act";

interface PressProps {
  children: ReactNode;
  k?: Key | undefined;
  refusal: string | undefined;
  busy?: boolean | undefined;
  kind?: "primary" | "danger" | undefined;
  size?: "small" | undefined;
  onPress: () => void;
  expanded?: boolean | undefined;
}

const NO_KEY: Key = { code: "" };

/** A button with its key beside it. The key of a grey button says why it is grey. */
export function KeyButton({ children, k, refusal, busy, kind, size, onPress, expanded }: PressProps) {
  useKey(k ?? NO_KEY, () => {
    if (refusal !== undefined) announce(refusal);
    else if (busy !== true) onPress();
  });
  return (
    <Button kind={kind} size={size} refusal={refusal} busy={busy} keys={k === undefined ? undefined : keyName(k)} expanded={expanded} onClick={onPress}>
      {children}{k === undefined ? null : <kbd>{keyName(k)}</kbd>}
    </Button>
  );
}

interface ActProps {
  children: ReactNode;
  action: () => AgentAction;
  /** Whether the seat shows what was asked for. */
  isShown: () => boolean;
  k?: Key;
  refusal: string | undefined;
  kind?: "primary" | "danger";
  size?: "small";
}

/** A button of one action of the seat; a refusal of the service is said in the line below the bar. */
export function ActButton({ children, action, isShown, k, refusal, kind, size }: ActProps) {
  // As it was when the button was pressed: by the time the effect is shown the button means the opposite.
  const asked = useRef(isShown);
  const state = useAction(() => act(action()), () => asked.current());
  const press = () => {
    asked.current = isShown;
    state.run();
  };
  return (
    <span className="action">
      <KeyButton k={k} refusal={refusal} busy={state.busy} kind={kind} size={size} onPress={press}>{children}</KeyButton>
      {state.refusal === undefined ? null : <span className="refusal" role="alert">{state.refusal}</span>}
    </span>
  );
}
