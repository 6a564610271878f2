/** Ant Design's tokens from ours (CONSOLE.md 5): its own leave nine contrast faults on a page. */
import { theme as antd, type ThemeConfig } from "antd";

const LIGHT = {
  colorPrimary: "#0b5cad", colorLink: "#0b5cad", colorText: "#1b1f24", colorTextSecondary: "#4a5058", colorTextTertiary: "#5e656f",
  colorTextQuaternary: "#6b7280", colorTextPlaceholder: "#6b7280", colorTextDisabled: "#6b7280", colorBorder: "#868d97", colorBorderSecondary: "#dde1e6",
  colorBgContainer: "#ffffff", colorBgElevated: "#ffffff", colorBgLayout: "#f5f6f8",
  colorSuccess: "#00664b", colorSuccessBg: "#e1f5ee", colorSuccessBorder: "#12a17e", colorWarning: "#a33a00", colorWarningBg: "#fce9dd", colorWarningBorder: "#90390c",
  colorError: "#b0222b", colorErrorBg: "#fce8e9", colorErrorBorder: "#720421", colorInfo: "#0b5cad", colorInfoBg: "#e8f1fb", colorInfoBorder: "#0556b7",
};
const DARK: typeof LIGHT = {
  colorPrimary: "#2f7fd1", colorLink: "#7db8f2", colorText: "#e8eaed", colorTextSecondary: "#b9c0c9", colorTextTertiary: "#9aa1ab",
  colorTextQuaternary: "#8f97a1", colorTextPlaceholder: "#8f97a1", colorTextDisabled: "#8f97a1", colorBorder: "#6f7782", colorBorderSecondary: "#2b3139",
  colorBgContainer: "#181c22", colorBgElevated: "#1f242b", colorBgLayout: "#101317",
  colorSuccess: "#4fd1a5", colorSuccessBg: "#0f2e25", colorSuccessBorder: "#68cc9b", colorWarning: "#ff9a5c", colorWarningBg: "#3a2213", colorWarningBorder: "#af4f01",
  colorError: "#ff8a8f", colorErrorBg: "#3b1a1d", colorErrorBorder: "#e95362", colorInfo: "#7db8f2", colorInfoBg: "#16283b", colorInfoBorder: "#1267d3",
};

export function antdTheme(isDark: boolean): ThemeConfig {
  return {
    algorithm: isDark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    token: {
      ...(isDark ? DARK : LIGHT),
      borderRadius: 4, fontSize: 14, controlHeight: 32, motionDurationMid: "0.15s", motionDurationSlow: "0.15s",
      fontFamily: '-apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei UI", "Noto Sans CJK SC", sans-serif',
    },
    components: {
      Table: { cellPaddingBlockSM: 5, cellPaddingInlineSM: 8, cellFontSizeSM: 13, headerBg: isDark ? "#1f242b" : "#eef1f4", headerSplitColor: "transparent" },
      ...(isDark ? { Button: { dangerColor: "#160708" } } : {}),
    },
  };
}
