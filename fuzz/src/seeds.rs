//! What each reader reads, what it refused, and what once broke it: where the changes at random begin.

use mtlcore::mtl::{
    settings::{Preset, Settings},
    study::StudySettings,
};

fn all(texts: &[&[u8]]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.to_vec()).collect()
}

pub fn tables() -> Vec<Vec<u8>> {
    all(&[
        b"text\tlabel\nflu shot\t1\n\"quoted\ttab\"\t0\n",
        b"id,text,label\n1,\"a, b\",1\n2,\"a \"\"b\"\"\nc\",NA\n",
        b"text;label\r\na;1\r\nb;0\r\n",
        b"sep=;\ntext;label\na;1\n",
        b"text\tid\rhi\t1\rho\t2\r",
        b"text,b\nx,\"a\r\"\n",
        b"\xef\xbb\xbftext|label\na|1\n",
        b"\xff\xfet\x00e\x00x\x00t\x00\n\x00a\x00\n\x00",
        b"text\tlabel\nx\xff\t1\n",
        b"text\tlabel\nx\0\t1\n",
        b"text\ttext\na\tb\n",
        b"text\n\n\na\n",
        b"sep=3\ntext;e;label\na;1\n",
        b"\n\x1fJ",
        b"t\n\r\nb;0\r\n",
        b"\n\xef\xbb\xbf",
        b"text\nb\n\"\"\n",
        b"",
    ])
}

pub fn json_lines() -> Vec<Vec<u8>> {
    all(&[
        b"{\"text\":\"a\",\"id\":123456789012345678901234567890}\n{\"text\":\"b\",\"label\":true}\n",
        b"{\"text\":\"\\ud83d\\ude37\",\"x\":1e400,\"y\":[1,{\"z\":null}]}\n",
        b"{\"text\":\"\\ud800\"}\n",
        b"{\"text\":\"a\",\"text\":\"b\"}\n",
        b"[{\"text\":\"a\"}]",
        b"{}\n",
        b"{\"text\":\"a\"}garbage\n",
    ])
}

pub fn gzip() -> Vec<Vec<u8>> {
    // "text,label\na,1\n", as Python's gzip module packs it, and the same with zeros behind it.
    let packed: &[u8] = &[
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0x2b, 0x49, 0xad, 0x28, 0xd1, 0xc9, 0x49, 0x4c,
        0x4a, 0xcd, 0xe1, 0x4a, 0xd4, 0x31, 0xe4, 0x02, 0x00, 0x4d, 0xf6, 0xf0, 0x72, 0x0f, 0x00, 0x00, 0x00,
    ];
    vec![packed.to_vec(), [packed, &[0; 40]].concat(), [packed, packed].concat(), packed[..20].to_vec()]
}

pub fn vectors() -> Vec<Vec<u8>> {
    all(&[
        b"the 0.1 0.2 0.3\nflu 1e-3 -2 3\n<user> 1 2 3\n",
        b"2 3\nthe 0.1 0.2 0.3\nflu 1 2 3\n",
        b"\xef\xbb\xbfthe 0.1 0.2 0.3\n\n. . . 1 2 3\nat name@domain.com 1 2 3\n",
        b"caf\xe9 1 2 3\nflu 4 5 6\n",
        b"the 0.1 0.2\nflu 1 2 3\n",
        b"the 1 nan 2\n",
        b"\n\n",
        b"1000000000 1000000000\nthe 1\n",
    ])
}

pub fn tokens() -> Vec<Vec<u8>> {
    [
        "got my flu shot today @CVS_Extra #FluShot #GetVaccinated http://t.co/a1B2 sooooo sore :(",
        "i &amp; &#39; &#x200B; &lt;3 #flu&#35;x &#xD800;",
        "vac\u{ad}cine n\u{200c}ot #Flu\u{200d}Shot fl\u{2060}u a\u{200b}b",
        "\u{dc6}\u{dca}\u{200d}\u{dbb}\u{dd9} 👨\u{200d}👩\u{200d}👧 <3 :-) ... !!! WOW 1,000.5",
        "",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

pub fn configuration() -> Vec<Vec<u8>> {
    let written = [Preset::Default, Preset::Paper].map(|preset| Settings::preset(preset).to_toml().into_bytes());
    let mut all = all(&[
        b"epochs = 3\nshared = 'conv'\n[[task]]\nname = 'flu'\nfile = 'flu.tsv'\npositive = 'Y'\nnegative = 'N'\n",
        b"preset = 'paper'\nbalance = 'static'\nbalance-weights = 'a=1,b=0.5'\nprobe = 'gradients=3'\n",
        b"units = 9223372036854775807\n",
        b"unts = 3\n",
        b"[[task]]\nname = '../x'\n",
    ]);
    all.extend(written);
    all
}

pub fn study_file() -> Vec<Vec<u8>> {
    let mut all = all(&[
        b"shared = ['conv', 'bilstm']\nfolds = 3\nfractions = '0,50,100'\n\
          [[pair]]\nname = 'p'\n[[pair.task]]\nname = 'a'\nfile = 'a.tsv'\n[[pair.task]]\nname = 'b'\nfile = 'b.tsv'\n",
        b"controls = 'pooled,masked'\nbalance = 'pcgrad,mgda'\nrope = 0.5\nscale = 1e9\n",
        b"folds = 1000\nrepeats = 1000\nseeds = 1000\n",
    ]);
    all.push(StudySettings::preset(Preset::Default).to_toml().into_bytes());
    all
}
