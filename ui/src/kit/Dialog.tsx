import { useEffect, useId, useRef, type ReactNode } from "react";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  buttons: ReactNode;
}

/** A modal over the page: the native dialog traps the focus, `Esc` closes it, focus returns to the opener. */
export function Dialog({ title, onClose, children, buttons }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  // A second `Esc` without anything typed between closes the element without asking: what stays on the page is shown again.
  const onClosed = () => {
    if (dialog.current?.open !== false) return;
    onClose();
    requestAnimationFrame(() => {
      if (dialog.current?.open === false) dialog.current.showModal();
    });
  };
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={id} onClose={onClosed} onCancel={(event) => { event.preventDefault(); onClose(); }}>
      <div className="content">
        <h2 id={id}>{title}</h2>
        {children}
        <div className="buttons">{buttons}</div>
      </div>
    </dialog>
  );
}
