import type { entry as zh } from "../zh/entry";

export const entry = {
  "entry.signIn": "Log in",
  "entry.login": "Login",
  "entry.loginHelp": "There are several organisations: login@organisation",
  "entry.password": "Password",
  "entry.capsLock": "Caps Lock is on",
  "entry.wait": "Again in {n} s",
  "entry.required": "Fill this in",
  "entry.welcome": "Welcome to Paceline",
  "entry.welcomeHelp": "First the administrator's account. A rehearsal on the simulated carrier comes next; nobody's phone rings.",
  "entry.name": "Name",
  "entry.newPassword": "Password (8 characters or more)",
  "entry.code": "Set-up code",
  "entry.codeHelp": "In the window in which the service was started; its link fills it in",
  "entry.create": "Create and go on",
  "entry.passwordShort": "The password has 8 characters or more",
} as const satisfies Record<keyof typeof zh, string>;
