import { ConfigProvider } from "antd";
import enGB from "antd/locale/en_GB";
import zhCN from "antd/locale/zh_CN";
import dayjs from "dayjs";
import "dayjs/locale/en-gb";
import "dayjs/locale/zh-cn";
import { useEffect, type ReactNode } from "react";
import { nonce } from "../nonce";
import { useIsDark } from "../preferences";
import { antdTheme } from "../theme";
import { useLanguage } from "../words";

/**
 * Ant Design with our tokens, nonce and language. Pages that use its components wrap them in this, imported lazily:
 * the first paint of the frame, of the desk and of the floor has none of it.
 */
export default function Antd({ children }: { children: ReactNode }) {
  const language = useLanguage();
  const isDark = useIsDark();
  useEffect(() => {
    // Without it the date picker has English months in a Chinese page.
    dayjs.locale(language === "zh" ? "zh-cn" : "en-gb");
  }, [language]);
  return (
    <ConfigProvider theme={antdTheme(isDark)} locale={language === "zh" ? zhCN : enGB} csp={{ nonce }} button={{ autoInsertSpace: false }} componentSize="middle">
      {children}
    </ConfigProvider>
  );
}
