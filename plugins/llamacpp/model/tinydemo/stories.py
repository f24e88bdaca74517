"""Little stories: ten plots, filled with animals, names, places and things."""

from __future__ import annotations

import random

from .grammar import Turn, an, expand, is_he, pick
from .words import ANIMALS, FOODS, HEROES, HOMES, NAMES, OBJECTS, PLACES, TRAITS, WEATHER

PLOTS = [
    # lost thing
    [
        "{One day|One morning}, <N> lost <p> <obj>.",
        "<N> looked {under the bed|behind the door|in the grass|near the well}, but the <obj> was not there.",
        "{<S> felt very sad.|<S> sat down and began to cry.|<S> did not know what to do.}",
        '{Then|Soon} |FRIEND| {came by|walked past} and {asked|said}, "{What is wrong|Why are you so sad}?"',
        '"I lost my <obj>," said <N>.',
        "{They looked together|The two of them searched} until the sun went down.",
        "{At last|In the end}, they found the <obj> {in a hollow tree|next to the <place>|under a big leaf}.",
        '<N> {smiled|laughed} and {thanked <p> friend|said, "Thank you, <F>!"}',
    ],
    # storm
    [
        "{One night|One evening}, a big <weather> came over the <place>.",
        "<N> {heard the wind|saw the dark sky} and {felt afraid|was scared}.",
        "{<S> ran home as fast as <s> could.|<S> looked for a safe place to hide.}",
        "On the way <s> met |FRIEND|, who was {cold and wet|lost|alone}.",
        '"Come with me," said <N>. "{My home is warm|There is room for two}."',
        "They {sat by the fire|shared a blanket} and ate <food>.",
        "In the morning the <weather> was gone and the sun was {bright|warm}.",
        "From that day on, <N> and <F> were {best friends|good friends}.",
    ],
    # sharing food
    [
        "{One day|One afternoon}, <N> found a basket full of <food>.",
        '"{All of this is mine|What a lucky day}!" said <N>.',
        "Then <s> saw |FRIEND| sitting {by the road|near the <place>}.",
        "<F> was {very hungry|tired and hungry}.",
        "<N> thought {for a moment|about it}.",
        '"Please have some of my <food>," <s> said.',
        "They ate together and {told funny stories|sang a song}.",
        "The <food> {tasted better|were even sweeter} with a friend.",
    ],
    # gift
    [
        "It was <F>'s birthday, and <N> wanted to give <F> a {good|special} present.",
        "<F> was |ANIMAL| who lived {next door|near the <place>}.",
        "<N> had no money, so <s> made <aobj>.",
        "It took {all day|three days} and {a lot of|much} work.",
        "{When <F> opened the box, <f> jumped for joy.|<F> looked at the present and smiled.}",
        '"This is the best present ever!" said <F>.',
        "<N> was {proud|very happy}.",
    ],
    # dark / fear
    [
        "<N> was afraid of the dark.",
        "{Every night|When the lamp went out}, <s> hid under the blanket.",
        "One night |FRIEND| {knocked on the window|came to visit}.",
        '"Come outside," said <F>. "I will show you something."',
        "They walked to the <place> and looked up.",
        "The sky was full of {stars|silver stars}.",
        '"The dark is {not so bad|beautiful}," said <N>.',
        "After that, <N> was not afraid {any more|of the night}.",
    ],
    # discovery
    [
        "{One day|One sunny morning}, <N> {went for a walk|went out to play} near the <place>.",
        "There <s> {found|saw} <aobj> {in the grass|under a stone}.",
        '"{Whose is this|Who lost this}?" <s> {wondered|asked}.',
        "<N> {asked everyone in the village|went from door to door}.",
        'At last |FRIEND| said, "That is my <obj>! I have looked for it {all week|everywhere}."',
        "<N> gave it back at once.",
        "<F> was so happy that <f> gave <N> {some|a bag of} <food>.",
    ],
    # learning
    [
        "<N> wanted to learn how to {swim|sing|dance|read|cook|paint|skate}.",
        "The first time, <s> {fell down|made a mistake}.",
        "The second time, it {was not much better|went a little better}.",
        '"{Do not give up|Try again}," said |FRIEND|. "{You can do it|I will help you}."',
        "So <N> tried again {every day|each morning}.",
        "{After many days|In the spring}, <s> could do it {very well|without any help}.",
        "Everyone {clapped|cheered}, and <N> felt proud.",
    ],
    # race
    [
        "{One day|In the summer}, there was a big race at the <place>.",
        "<N> wanted to win.",
        "|FRIEND| wanted to win too.",
        "They ran {and ran|side by side|very fast}.",
        "Then <F> {fell|tripped over a root} and could not get up.",
        "<N> stopped and {helped <F>|went back to help}.",
        "They {crossed the line|finished} together, {hand in hand|last of all}.",
        "Nobody {minded|was sad}, and both of them {got a prize|were happy}.",
    ],
    # bridge
    [
        "{One spring|One winter}, the bridge over the river broke.",
        "Nobody could get to the <place>.",
        "<N> had an idea.",
        '"Let us build a new bridge," <s> said.',
        "|FRIEND| brought wood, and <N> brought {rope|nails|stones}.",
        "They worked {for a week|from morning to night}.",
        "When the bridge was ready, everyone {came to see it|had a party}.",
        "They ate <food> and danced until {late|the moon came up}.",
    ],
    # stranger
    [
        "{One day|One evening}, a stranger came to the <place>.",
        "It was |FRIEND|.",
        "{Some animals|The others} were {afraid|not sure}, but <N> said hello.",
        '"I have {come a long way|walked for many days}," said <F>.',
        '"{Then you must be tired|You can stay with me}," said <N>.',
        "<F> {told them about the sea|showed them <aobj>}, and everyone listened.",
        "Soon {the stranger was a friend|nobody was afraid any more}.",
    ],
]
MORALS = [
    "And they lived happily ever after.",
    "The end.",
    "And that is the end of the story.",
    "It was a very good day.",
    "That night, <N> slept very well.",
    "And from then on, <N> was never {lonely|sad} again.",
    "<N> never forgot that day.",
]


_ASK = (
    "{Tell me|Please tell me|Can you tell me|Write|Write me|Please write|Make up|Give me|I want|"
    "I would like} {a story|a short story|a tale|a little story|a bedtime story}"
)
_OPENING = "{Once upon a time, there was|Once there was|Long ago, there was|There once was} "
_OPENING_AT = "{Once upon a time, in a <place>, there lived|Near a <place>, there once lived} "


def story(
    r: random.Random,
    *,
    animal: str | None = None,
    name: str | None = None,
    place: str | None = None,
    trait: str | None = None,
    friend: str | None = None,
) -> str:
    """A story; what is not given is chosen."""
    animal = animal or (pick(r, ANIMALS) if r.random() < 0.8 else pick(r, HEROES))
    name = name or pick(r, NAMES)
    trait = trait or pick(r, TRAITS)
    friend = friend or pick(r, [other for other in ANIMALS if other != animal])
    friend_name = pick(r, NAMES)
    while friend_name == name:
        friend_name = pick(r, NAMES)
    values = _values(r, name, friend_name, place)
    hero = f"{an(f'{trait} {animal}')} named {name}."
    opening = expand(
        r,
        f"{_OPENING}{hero} {{<S> lived <home>.|<N> lived <home>.}}",
        home=pick(r, HOMES),
        **values,
    )
    if place:
        opening = expand(r, _OPENING_AT + hero, **values)
    body = [_sentence(r, sentence, friend, values) for sentence in pick(r, PLOTS)]
    return " ".join([opening, *body, expand(r, pick(r, MORALS), **values)])


def _values(r: random.Random, name: str, friend: str, place: str | None) -> dict[str, str]:
    """What the places in a plot are filled with."""
    he = is_he(name)
    thing = pick(r, OBJECTS)
    return {
        "N": name,
        "S": "He" if he else "She",
        "s": "he" if he else "she",
        "p": "his" if he else "her",
        "obj": thing,
        "aobj": an(thing),
        "place": place or pick(r, PLACES),
        "weather": pick(r, WEATHER),
        "food": pick(r, FOODS),
        "F": friend,
        "f": "he" if is_he(friend) else "she",
    }


def _sentence(r: random.Random, template: str, friend: str, values: dict[str, str]) -> str:
    text = template.replace("|ANIMAL|", an(friend))
    first = text.startswith("|FRIEND|")
    text = text.replace("|FRIEND|", f"{an(friend)} named {values['F']}")
    return expand(r, text[0].upper() + text[1:] if first else text, **values)


def story_talk(r: random.Random) -> list[Turn]:
    """Somebody asks for a story, perhaps about somebody, and gets it."""
    animal = pick(r, HEROES if r.random() < 0.4 else ANIMALS)
    name, place, trait = pick(r, NAMES), pick(r, PLACES), pick(r, TRAITS)
    kind = r.randrange(7)
    given: dict[str, str] = {"animal": animal}
    if kind == 0:
        ask, given = _ASK + "{.||, please.|!}", {}
    elif kind in {1, 2}:
        ask = f"{_ASK} about {an(animal)}{{.||, please.}}"
    elif kind == 3:
        ask, given = f"{_ASK} about {an(f'{animal} named {name}')}{{.|}}", {**given, "name": name}
    elif kind == 4:
        ask = f"{_ASK} about {an(f'{trait} {animal}')} {{in|near}} a {place}."
        given = {**given, "trait": trait, "place": place}
    elif kind == 5:
        friend = pick(r, [other for other in ANIMALS if other != animal])
        ask, given = f"{_ASK} about {an(animal)} and {an(friend)}.", {**given, "friend": friend}
    else:
        ask = f"{{A story|Story|Tale|A tale|story}} about {an(animal)}{{ please.|.||!}}"
    return [("user", expand(r, ask)), ("assistant", story(r, **given))]
