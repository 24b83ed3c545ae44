"""llama.cpp's own mixes of types as tables: which type a tensor gets in a `Q4_K_M` file, and the like.

A mix has a type for most tensors and, by category of tensor, choices: the first whose conditions all hold is taken.
Learnt from llama.cpp's src/llama-quant.cpp (the version that llama-cpp-python 0.3.36 brings) and compared with it,
tensor by tensor, in tests/gguf_convert/test_mixes.py. Left out are the rules it has for three architectures alone
(`OTHER_RULES`), and types that its quantiser cannot write.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from gguf_convert.facts import Facts
from gguf_convert.ggml import NEED_IMPORTANCE


class Category(Enum):
    """Kinds of tensors that the mixes tell apart. Values, fused and latent ones included, are one kind."""

    OUTPUT = auto()
    EMBEDDING = auto()
    VALUE = auto()
    KEY = auto()
    QUERY = auto()
    ATTENTION_OUTPUT = auto()
    UP = auto()
    GATE = auto()
    DOWN = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a tensor stands. `counter` tensors of its category came before it, of `count` in all; `layer` is its
    block (without experts llama.cpp takes the counter for it). `importance`: there is an importance matrix.
    """

    facts: Facts
    counter: int
    count: int
    layer: int
    stacked: bool
    importance: bool


Condition = Callable[[Place], bool]


@dataclass(frozen=True, slots=True)
class Choice:
    type: str
    when: tuple[Condition, ...] = ()

    def holds(self, place: Place) -> bool:
        return all(condition(place) for condition in self.when)


Choices = tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """`file_type` is the number written as `general.file_type`; `needs_importance` are the types that are not made
    without an importance matrix in this mix.
    """

    name: str
    file_type: int
    default: str
    output: str = "Q6_K"
    embedding: str | None = None
    choices: Mapping[Category, Choices] = field(default_factory=dict)
    needs_importance: frozenset[str] = frozenset()


OTHER_RULES: Final = frozenset({"falcon", "glm5-next", "bailingmoe3"})
"""Architectures for which llama.cpp has rules of their own, which are not here."""

_CATEGORIES: Final = (
    ("attn_qkv.weight", Category.VALUE),
    ("attn_kv_b.weight", Category.VALUE),
    ("attn_v.weight", Category.VALUE),
    ("attn_k.weight", Category.KEY),
    ("attn_q.weight", Category.QUERY),
    ("attn_output.weight", Category.ATTENTION_OUTPUT),
    ("ffn_up", Category.UP),
    ("ffn_gate", Category.GATE),
    ("ffn_down", Category.DOWN),
)


def category_of(name: str) -> Category:
    """The kind of a tensor, by its GGUF name."""
    if name == "output.weight":
        return Category.OUTPUT
    if name in {"token_embd.weight", "per_layer_token_embd.weight"}:
        return Category.EMBEDDING
    return next((category for part, category in _CATEGORIES if part in name), Category.OTHER)


_KEPT_PARTS: Final = (
    "_norm.weight",
    "ffn_gate_inp.weight",
    "ffn_gate_tid2eid.weight",
    "altup",
    "laurel",
    "per_layer_model_proj",
    "ssm_conv1d",
    "shortconv.conv.weight",
    "indexer.k_proj.weight",
    "indexer.q_proj.weight",
    *(f"time_mix_{part}.weight" for part in ("first", "w0", "w1", "w2", "v0", "v1", "v2", "a0", "a1", "a2")),
    *(f"time_mix_{part}.weight" for part in ("g1", "g2", "decay_w1", "decay_w2", "lerp_fused")),
    "attn_rel_b.weight",
    ".position_embd",
    "sam.pos_embd",
    "sam.neck.",
    "sam.net_",
    ".rel_pos",
    ".patch_embd",
    ".patch_merger",
    "a.rvq.codebook",
    "mm.a.code_embd",
)
_KEPT_NAMES: Final = frozenset({"position_embd.weight", "token_types.weight"})


def may_quantise(name: str, shape: tuple[int, ...]) -> bool:
    """Whether llama.cpp changes the type of such a tensor at all: norms, routers, biases and other small ones keep
    theirs. `shape` in ggml's order.
    """
    if all(n == 1 for n in shape[1:]) or not name.endswith("weight"):
        return False
    return name not in _KEPT_NAMES and not any(part in name for part in _KEPT_PARTS)


FALLBACK: Final[Mapping[str, str]] = {
    **dict.fromkeys(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS"), "IQ4_NL"),
    **dict.fromkeys(("Q2_0", "Q2_K", "Q3_K", "TQ1_0", "TQ2_0"), "Q4_0"),
    "Q4_K": "Q5_0",
    "Q5_K": "Q5_1",
    "Q6_K": "Q8_0",
}
"""What is taken instead of a type whose blocks (64 or more) do not fit the rows. Q1_0 and NVFP4 are not replaced."""


def _shared(ratio: int) -> Condition:
    return lambda place: place.facts.n_gqa >= ratio


def _eight_experts(place: Place) -> bool:
    return place.facts.n_expert == 8


def _not_eight_experts(place: Place) -> bool:
    return place.facts.n_expert != 8


def _few_values(place: Place) -> bool:
    """Values are so small a part that more bits cost little: shared by four queries, or beside experts."""
    return place.facts.n_gqa >= 4 or place.facts.n_expert >= 4


def _seventy_billion(place: Place) -> bool:
    """What llama.cpp takes for a model of 70 billion weights, whose values are shared by eight query heads."""
    facts = place.facts
    if facts.n_layer - facts.n_nextn != 80:
        return False
    if facts.architecture == "llama":
        return facts.n_expert != 8 and facts.n_head != facts.n_head_kv
    return facts.architecture in {"qwen2", "deci", "olmo"}


def _counted_below(limit: int) -> Condition:
    return lambda place: place.counter < limit


def _counted_first_eighth(place: Place) -> bool:
    return place.counter < place.count // 8


def _first(part: int) -> Condition:
    return lambda place: place.layer < place.count // part


def _middle(place: Place) -> bool:
    return place.count // 8 <= place.layer < 7 * place.count // 8


def _more_bits(index: int, count: int) -> bool:
    """The first and the last eighth, and every third between them."""
    eighth = count // 8
    # C's remainder has the sign of the dividend; before the first eighth the first test has answered already.
    return index < eighth or index >= 7 * count // 8 or (index - eighth) % 3 == 2


def _layer_gets_more(place: Place) -> bool:
    return _more_bits(place.layer, place.count)


def _counted_gets_more(place: Place) -> bool:
    return _more_bits(place.counter, place.count)


def _importance(place: Place) -> bool:
    return place.importance


def _no_importance(place: Place) -> bool:
    return not place.importance


def _flat(place: Place) -> bool:
    return not place.stacked


def _values(default: str, *choices: Choice) -> Choices:
    """The choices for values, behind what holds in every mix: Q8_0 beside eight experts, five bits at least in 70 B."""
    out = [Choice("Q8_0", (_eight_experts,))]
    for choice in (*choices, Choice(default)):
        if choice.type in {"Q3_K", "Q4_K"}:
            out.append(Choice("Q5_K", (_seventy_billion, *choice.when)))
        out.append(choice)
    return tuple(out)


def _attention_output(*choices: Choice) -> Choices:
    return (Choice("Q5_K", (_eight_experts,)), *choices)


def _mix(name: str, file_type: int, default: str, **choices: Choices) -> Mix:
    """A mix of the ordinary kind. Types of a few bits keep an output of five, and an embedding by `_EMBEDDINGS`."""
    by_category = {Category[key.upper()]: value for key, value in choices.items()}
    return Mix(
        name=name,
        file_type=file_type,
        default=default,
        output="Q8_0" if default == "Q8_0" else "Q5_K" if name in _FIVE_BIT_OUTPUT else "Q6_K",
        embedding=_EMBEDDINGS.get(name),
        choices={
            Category.VALUE: _values(default),
            Category.KEY: (Choice("Q8_0", (_eight_experts,)),),
            **by_category,
        },
        needs_importance=NEED_IMPORTANCE | ({"Q2_K"} if name == "Q2_K_S" else set()),
    )


def _low_bit_mix(name: str, file_type: int, default: str, *, better: str, attention_output: Choices) -> Mix:
    """A mix of one or two bits: `better` goes where a little more costs little."""
    return _mix(
        name,
        file_type,
        default,
        value=(Choice("Q4_K", (_few_values,)), Choice(better)),
        key=(Choice("Q4_K", (_eight_experts,)),),
        down=(Choice(better, (_counted_first_eighth,)),),
        attention_output=_attention_output(*attention_output),
    )


_FIVE_BIT_OUTPUT: Final = frozenset({"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ3_XXS"})
_EMBEDDINGS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS"), "Q2_K"),
    **dict.fromkeys(("IQ2_S", "IQ2_M", "IQ3_XXS"), "IQ3_S"),
    **dict.fromkeys(("TQ1_0", "TQ2_0", "Q2_0"), "Q4_K"),
}
_FEW_BITS_IN_FOUR = (Choice("Q4_K", (_shared(4),)),)
_MORE_BITS = (Choice("Q6_K", (_layer_gets_more,)),)
_FIRST_LAYERS_FIVE = (Choice("Q5_K", (_first(8), _no_importance)),)
_PLAIN_OUTPUT = _attention_output()

MIXES: Final[Mapping[str, Mix]] = {
    mix.name: mix
    for mix in (
        Mix(name="F32", file_type=0, default="F32", output="F32"),
        Mix(name="F16", file_type=1, default="F16", output="F16"),
        Mix(name="BF16", file_type=32, default="BF16", output="BF16"),
        _mix("Q8_0", 7, "Q8_0"),
        _mix("Q4_0", 2, "Q4_0", down=(Choice("Q4_1", (_first(8), _importance)),)),
        _mix("Q4_1", 3, "Q4_1"),
        _mix("Q5_0", 8, "Q5_0", down=(Choice("Q5_1", (_first(8), _importance)),)),
        _mix("Q5_1", 9, "Q5_1"),
        _mix(
            "Q2_K",
            10,
            "Q2_K",
            value=_values("Q3_K", Choice("Q4_K", (_shared(4),))),
            down=(Choice("Q3_K"),),
            attention_output=_attention_output(Choice("Q3_K")),
        ),
        _mix("Q2_K_S", 21, "Q2_K", value=_values("Q2_K", *_FEW_BITS_IN_FOUR), down=(Choice("Q4_K", (_first(8),)),)),
        _mix("Q3_K_S", 11, "Q3_K", attention_output=_PLAIN_OUTPUT),
        _mix(
            "Q3_K_M",
            12,
            "Q3_K",
            value=_values("Q4_K", Choice("Q5_K", (_counted_below(2),))),
            down=(Choice("Q5_K", (_first(16),)), Choice("Q4_K")),
            attention_output=_attention_output(Choice("Q4_K")),
        ),
        _mix(
            "Q3_K_L",
            13,
            "Q3_K",
            value=_values("Q5_K"),
            down=(Choice("Q5_K"),),
            attention_output=(Choice("Q5_K", (_not_eight_experts,)),),
        ),
        _mix(
            "Q4_K_S",
            14,
            "Q4_K",
            value=_values("Q4_K", Choice("Q5_K", (_counted_below(4),))),
            down=(Choice("Q5_K", (_first(8),)),),
            attention_output=_PLAIN_OUTPUT,
        ),
        _mix(
            "Q4_K_M",
            15,
            "Q4_K",
            value=_values("Q4_K", Choice("Q6_K", (_counted_gets_more,))),
            down=_MORE_BITS,
            attention_output=_PLAIN_OUTPUT,
        ),
        _mix("Q5_K_S", 16, "Q5_K"),
        _mix("Q5_K_M", 17, "Q5_K", value=_values("Q5_K", Choice("Q6_K", (_counted_gets_more,))), down=_MORE_BITS),
        _mix("Q6_K", 18, "Q6_K"),
        _low_bit_mix("IQ1_S", 24, "IQ1_S", better="Q2_K", attention_output=(Choice("IQ2_XXS"),)),
        _low_bit_mix("IQ1_M", 31, "IQ1_M", better="Q2_K", attention_output=(Choice("IQ2_XXS"),)),
        _low_bit_mix("IQ2_XXS", 19, "IQ2_XXS", better="Q2_K", attention_output=()),
        _low_bit_mix("IQ2_XS", 20, "IQ2_XS", better="Q2_K", attention_output=()),
        _low_bit_mix("IQ2_S", 28, "IQ2_XS", better="IQ3_S", attention_output=(Choice("IQ3_S"),)),
        _low_bit_mix("IQ2_M", 29, "IQ2_S", better="IQ3_S", attention_output=(Choice("IQ3_S"),)),
        _mix(
            "IQ3_XXS",
            23,
            "IQ3_XXS",
            value=_values("IQ3_XXS", *_FEW_BITS_IN_FOUR, Choice("IQ3_S", (_no_importance,))),
            key=(Choice("Q8_0", (_eight_experts,)), Choice("IQ2_S")),
            query=(Choice("IQ2_S"),),
            down=(Choice("Q4_K", (_first(8), _no_importance)), Choice("Q3_K", (_no_importance,))),
            attention_output=_attention_output(Choice("IQ3_S")),
        ),
        _mix(
            "IQ3_XS",
            22,
            "IQ3_S",
            value=_values("IQ3_S", *_FEW_BITS_IN_FOUR),
            key=(Choice("Q8_0", (_eight_experts,)), Choice("IQ3_XXS")),
            query=(Choice("IQ3_XXS"),),
            gate=(Choice("IQ3_XXS", (_middle,)),),
            up=(Choice("IQ3_XXS", (_middle,)),),
            attention_output=_PLAIN_OUTPUT,
        ),
        _mix("IQ3_S", 26, "IQ3_S", value=_values("IQ3_S", *_FEW_BITS_IN_FOUR), attention_output=_PLAIN_OUTPUT),
        _mix(
            "IQ3_M",
            27,
            "IQ3_S",
            value=_values("Q4_K"),
            down=(Choice("Q4_K", (_first(8),)), Choice("Q4_K", (_eight_experts, _layer_gets_more))),
            attention_output=_attention_output(Choice("Q4_K")),
        ),
        *(
            _mix(
                name,
                file_type,
                name,
                value=_values(name, Choice("Q5_K", (_shared(4),))),
                down=_FIRST_LAYERS_FIVE,
                attention_output=_PLAIN_OUTPUT,
            )
            for name, file_type in (("IQ4_NL", 25), ("IQ4_XS", 30))
        ),
        _mix("Q1_0", 40, "Q1_0"),
        _mix("Q2_0", 41, "Q2_0"),
        _mix("TQ1_0", 36, "TQ1_0"),
        _mix("TQ2_0", 37, "TQ2_0"),
        Mix(
            name="MXFP4_MOE",
            file_type=38,
            default="MXFP4",
            output="Q8_0",
            choices=dict.fromkeys(Category, (Choice("Q8_0", (_flat,)),)),
        ),
    )
}

ALIASES: Final[Mapping[str, str]] = {"Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M", "MXFP4": "MXFP4_MOE"}
