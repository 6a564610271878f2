#!/usr/bin/env python3
"""Writes the sample list and blacklist: fictional owners, numbers in 154, a range given to nobody.

The same files every time. Run it from the top of the repository.
"""
import random

random.seed(20260901)
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = "芳伟敏静丽强磊军洋勇艳杰娟涛明超秀英霞平刚桂兰志文建华国红玉梅雪松海燕建国淑珍俊峰宇轩子涵欣怡浩然"


def person():
    return random.choice(SURNAMES) + "".join(random.sample(GIVEN, random.choice((1, 2, 2))))


numbers = iter(random.sample(range(10_000_000, 99_999_999), 500))


def mobile():
    return f"154{next(numbers)}"


rows = []
for building in range(1, 7):
    for unit in (1, 2):
        for floor in range(2, 10):
            for room in (1, 2):
                flat = f"{building}栋-{unit}-{floor:02}{room:02}"
                area = random.choice(("76.5", "89.0", "104.2", "118.8", "131.6"))
                for _ in range(random.choice((1, 1, 1, 2, 2, 3))):
                    second = mobile() if random.random() < 0.06 else ""
                    rows.append([person(), mobile(), second, flat, area, random.choice(("", "", "", "出租", "长期在外"))])
rows = rows[:296]


def spell(number, way):
    return [f"+86 {number}", f"{number[:3]}-{number[3:7]}-{number[7:]}", f"86{number}", f"{number}.0", number.translate({48 + d: 0xFF10 + d for d in range(10)})][way]


for at, way in ((12, 0), (47, 1), (81, 2), (120, 3), (166, 4)):
    rows[at][1] = spell(rows[at][1], way)

blocked = [rows[at][1] for at in (25, 133, 210)]
faults = [
    ["周建", "1.54E+10", "", "2栋-1-0301", "89.0", ""],
    ["吴国", "1541234567", "", "2栋-2-0402", "89.0", ""],
    ["郑华", rows[5][1], "", "3栋-1-0501", "104.2", ""],
    ["冯梅", "+86-" + rows[60][1], "", "3栋-2-0602", "104.2", ""],
    ["物业报警", "110", "", "1栋-1-0101", "0", "值班"],
    ["银行客服", "95588", "", "1栋-1-0102", "0", ""],
    ["许兰", "62345678", "", "5栋-1-0701", "118.8", ""],
    ["傅强", "15498765432转8", "", "5栋-2-0802", "118.8", ""],
    ["沈英", "", "", "6栋-1-0901", "131.6", "未留电话"],
]
for place, fault in zip((18, 52, 77, 101, 140, 171, 205, 240, 280), faults):
    rows.insert(place, fault)

with open("campaigns/jade-garden/list.csv", "w", encoding="utf-8", newline="") as out:
    out.write("\ufeff姓名,手机号码,备用电话,房号,面积,备注\r\n")
    out.writelines(",".join(row) + "\r\n" for row in rows)

with open("campaigns/jade-garden-calls/list.csv", "w", encoding="utf-8", newline="") as out:
    out.write("\ufeff姓名,手机号码,备用电话,房号,面积,备注\r\n")
    out.writelines(",".join(row) + "\r\n" for row in rows[:120])

with open("campaigns/blacklist.csv", "w", encoding="utf-8", newline="") as out:
    out.write("\ufeff电话,原因,日期\r\n")
    others = [mobile() for _ in range(7)]
    for number, reason in zip(blocked + others, ("要求不再致电", "投诉", "要求不再致电") + ("要求不再致电",) * 7):
        out.write(f"{number},{reason},2026-08-{random.randint(1, 28):02}\r\n")
