"""Colour names of DOT -> "#rrggbb" or "none"."""

from __future__ import annotations

import colorsys
import re

# X11 names that people use in DOT files. Graphviz's grey, green, maroon and purple are X11's, not CSS's.
NAMES = dict(
    pair.split("=")
    for pair in """
    black=000000 white=ffffff red=ff0000 green=00ff00 blue=0000ff cyan=00ffff magenta=ff00ff
    yellow=ffff00 gray=c0c0c0 grey=c0c0c0 orange=ffa500 purple=a020f0 brown=a52a2a pink=ffc0cb
    maroon=b03060 navy=000080 teal=008080 olive=808000 gold=ffd700 silver=c0c0c0 violet=ee82ee
    lightblue=add8e6 lightgrey=d3d3d3 lightgray=d3d3d3 lightgreen=90ee90 lightyellow=ffffe0
    lightpink=ffb6c1 lightcyan=e0ffff lightsalmon=ffa07a lightcoral=f08080 lightskyblue=87cefa
    lightsteelblue=b0c4de darkgreen=006400 darkblue=00008b darkred=8b0000 darkorange=ff8c00
    darkgrey=a9a9a9 darkgray=a9a9a9 darkviolet=9400d3 darkcyan=008b8b darkmagenta=8b008b
    darkolivegreen=556b2f darkseagreen=8fbc8f darkslateblue=483d8b darkslategray=2f4f4f
    darkslategrey=2f4f4f darkturquoise=00ced1 darkkhaki=bdb76b darkgoldenrod=b8860b darksalmon=e9967a
    darkorchid=9932cc aliceblue=f0f8ff antiquewhite=faebd7 aquamarine=7fffd4 azure=f0ffff beige=f5f5dc
    bisque=ffe4c4 blanchedalmond=ffebcd blueviolet=8a2be2 burlywood=deb887 cadetblue=5f9ea0
    chartreuse=7fff00 chocolate=d2691e coral=ff7f50 cornflowerblue=6495ed cornsilk=fff8dc
    deeppink=ff1493 deepskyblue=00bfff dimgray=696969 dimgrey=696969 dodgerblue=1e90ff firebrick=b22222
    floralwhite=fffaf0 forestgreen=228b22 gainsboro=dcdcdc ghostwhite=f8f8ff goldenrod=daa520
    greenyellow=adff2f honeydew=f0fff0 hotpink=ff69b4 indianred=cd5c5c indigo=4b0082 ivory=fffff0
    khaki=f0e68c lavender=e6e6fa lavenderblush=fff0f5 lawngreen=7cfc00 lemonchiffon=fffacd
    limegreen=32cd32 linen=faf0e6 mediumaquamarine=66cdaa mediumblue=0000cd mediumorchid=ba55d3
    mediumpurple=9370db mediumseagreen=3cb371 mediumslateblue=7b68ee mediumspringgreen=00fa9a
    mediumturquoise=48d1cc mediumvioletred=c71585 midnightblue=191970 mintcream=f5fffa mistyrose=ffe4e1
    moccasin=ffe4b5 navajowhite=ffdead oldlace=fdf5e6 olivedrab=6b8e23 orangered=ff4500 orchid=da70d6
    palegoldenrod=eee8aa palegreen=98fb98 paleturquoise=afeeee palevioletred=db7093 papayawhip=ffefd5
    peachpuff=ffdab9 peru=cd853f plum=dda0dd powderblue=b0e0e6 rosybrown=bc8f8f royalblue=4169e1
    saddlebrown=8b4513 salmon=fa8072 sandybrown=f4a460 seagreen=2e8b57 seashell=fff5ee sienna=a0522d
    skyblue=87ceeb slateblue=6a5acd slategray=708090 slategrey=708090 snow=fffafa springgreen=00ff7f
    steelblue=4682b4 tan=d2b48c thistle=d8bfd8 tomato=ff6347 turquoise=40e0d0 wheat=f5deb3
    whitesmoke=f5f5f5 yellowgreen=9acd32 lightgoldenrodyellow=fafad2 lightseagreen=20b2aa
    lightslategray=778899 lightslategrey=778899 darkolivegreen1=caff70 darkolivegreen2=bcee68
    darkolivegreen3=a2cd5a darkolivegreen4=6e8b3d
    """.split()
)
X11_VARIANTS = {"2": 0.932, "3": 0.804, "4": 0.548}  # blue1 … blue4: the same colour, darker


def hex_color(text: str, default: str = "black") -> str:
    """A DOT colour as SVG and PDF take it; of a colour list its first; unknown names give ``default``.

    >>> hex_color("darkolivegreen1"), hex_color("#ABC"), hex_color("transparent"), hex_color("blue3")
    ('#caff70', '#aabbcc', 'none', '#0000cd')
    """
    name = re.split("[:;]", text.strip().lower())[0]
    if name.startswith("/"):  # a scheme, as in "/x11/red"
        name = name.rsplit("/", 1)[1]
    if name in ("transparent", "none", "invis"):
        return "none"
    if re.fullmatch(r"#[0-9a-f]{3}", name):
        return "#" + "".join(2 * digit for digit in name[1:])
    if re.fullmatch(r"#[0-9a-f]{6}([0-9a-f]{2})?", name):
        return name[:7]
    if name in NAMES:
        return "#" + NAMES[name]
    if grey := re.fullmatch(r"gr[ae]y(\d{1,3})", name):
        return "#" + f"{round(min(100, int(grey[1])) * 2.55):02x}" * 3
    if name[:-1] in NAMES and name[-1] in "1234":
        base, factor = NAMES[name[:-1]], X11_VARIANTS.get(name[-1], 1.0)
        return "#" + "".join(f"{round(int(base[i : i + 2], 16) * factor):02x}" for i in (0, 2, 4))
    parts = re.fullmatch(r"([\d.]+)[ ,]+([\d.]+)[ ,]+([\d.]+)", name)
    if parts:  # hue, saturation, value
        rgb = colorsys.hsv_to_rgb(*(min(1.0, float(part)) for part in parts.groups()))
        return "#" + "".join(f"{round(255 * c):02x}" for c in rgb)
    return hex_color(default) if text != default else "#000000"
