/** The page's nonce, put into `index.html` by the service anew for each load; empty under the development server. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content.replace("__NONCE__", "") ?? "";

// Libraries add style elements of which some forget the nonce; without it the policy `style-src 'nonce-…'` refuses them.
const createElement = document.createElement.bind(document);
document.createElement = ((tag: string, options?: ElementCreationOptions) => {
  const element = createElement(tag, options);
  if (nonce !== "" && tag.toLowerCase() === "style") element.nonce = nonce;
  return element;
}) as typeof document.createElement;
