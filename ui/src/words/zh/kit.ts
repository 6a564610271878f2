export const kit = {
  "kit.before": "上一条",
  "kit.after": "下一条",
  "kit.noMore": "没有更多了",
  "kit.removeFilter": "去掉筛选:{name}",
  "kit.more": "继续加载",
  "kit.copied": "已复制",
  "kit.notCopied": "浏览器没有复制,请选中文字后手动复制",
  "kit.resources": "资源",
  "kit.admin": "管理",
  "kit.undo": "撤销",
  "kit.undone": "已撤销",
} as const;
