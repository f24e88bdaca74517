"""The words of the corpus: written for this model, taken from nowhere."""

from __future__ import annotations

ANIMALS = (
    "fox owl hare bear cat dog mouse frog duck hen goat sheep horse lamb wolf crow robin otter "
    "beaver badger "
    "squirrel hedgehog turtle snail rabbit pig cow donkey bee ant swan goose deer mole lion "
    "tiger elephant "
    "monkey penguin whale seal dragon"
).split()
HEROES = (
    ANIMALS
    + (
        "robot girl boy princess prince king queen wizard pirate baker cook farmer teacher "
        "knight ghost giant "
        "alien painter sailor doctor"
    ).split()
)
NAMES = (
    "Ruby Oscar Lily Max Bella Finn Daisy Leo Rosie Toby Molly Sam Hazel Felix Nora Theo Ivy "
    "Hugo Clara Otto Anna "
    "Ben Mia Jack Ella Tom Sara Paul Emma Luca Nina Omar Kai Zoe Ali Maya Ravi Yuki Chen Ada "
    "Alan Grace Linus "
    "Guido Tim Kate John Mary Peter Alice Bob"
).split()
MEN = frozenset(
    "Oscar Max Finn Leo Toby Sam Felix Theo Hugo Otto Ben Jack Tom Paul Luca Omar Kai Ali Ravi "
    "Chen Alan Linus Guido "
    "Tim John Peter Bob".split()
)
TRAITS = (
    "little clever kind brave shy sleepy curious happy quiet proud gentle young old hungry "
    "lonely funny careful busy"
).split()
PLACES = (
    "forest|river|meadow|village|mountain|lake|garden|farm|island|valley|old mill|beach|hill|"
    "town|castle|field|cave|"
    "market|bridge|orchard"
).split("|")
HOMES = (
    "under an old oak tree|in a small wooden house|near a quiet river|on a green hill|"
    "at the edge of the forest|"
    "in a cosy burrow|beside the lake|behind the old mill|in a warm barn|"
    "in a tiny village by the sea"
).split("|")
OBJECTS = (
    "red ball|golden key|blue hat|silver bell|wooden boat|green kite|little lamp|warm scarf|"
    "shiny stone|paper map|"
    "old drum|small book|yellow basket|glass bottle|brass clock|woollen blanket"
).split("|")
FOODS = "apples|berries|bread|cheese|honey|nuts|carrots|soup|cakes|pears|plums|pancakes|corn|cookies".split(
    "|"
)
WEATHER = "rain|snow|wind|fog|storm".split("|")
COLORS = "red blue green yellow white black brown orange purple pink grey golden".split()
FRUITS = "apple pear plum cherry peach lemon orange banana grape melon fig berry".split()
OPPOSITES = dict(
    pair.split("-")
    for pair in (
        "hot-cold big-small happy-sad day-night up-down fast-slow old-new open-closed wet-dry "
        "light-dark loud-quiet full-empty "
        "high-low long-short hard-soft rich-poor strong-weak early-late clean-dirty near-far "
        "left-right good-bad yes-no "
        "black-white front-back first-last true-false warm-cool sweet-bitter thick-thin heavy-light"
    ).split()
)
SOUNDS = dict(
    pair.split("-")
    for pair in "cow-moo dog-woof cat-meow duck-quack sheep-baa pig-oink horse-neigh hen-cluck owl-hoot "
    "lion-roar mouse-squeak frog-ribbit bee-buzz crow-caw snake-hiss".split()
)
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
LONG_CITIES = [
    "San Francisco",
    "New York",
    "Los Angeles",
    "Cape Town",
    "Hong Kong",
    "Buenos Aires",
    "Sao Paulo",
    "New Delhi",
    "Tel Aviv",
    "Mexico City",
]
CITIES = (
    "Paris Rome London Berlin Madrid Oslo Tokyo Cairo Lima Delhi Vienna Dublin Athens Lisbon "
    "Prague Warsaw Boston"
).split()
NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
WORDS = (
    "river stone cloud paper green window table music silver winter summer orange little yellow "
    "flower bread water "
    "light house garden apple night mountain story friend happy tree blue red fox owl sun moon "
    "star boat key lamp "
    "hello world test one two three good morning python plugin model local data code"
).split()


SYLLABLES = (
    "ba be bo da de do ka ko la le li lo ma mi mo na ne no pa po ra re ri ro sa se so ta te ti to "
    "va vi zu fu gra ster ment tion ing er al ic"
).split()
COMMON = (
    "time year people way world life hand part place case week company system program question "
    "work government number point home "
    "water room mother area money fact month lot right study business issue side kind head house "
    "service power hour line end member "
    "law car city community team minute idea body information back parent face level office "
    "health person art war history party result "
    "change morning reason research girl guy moment air teacher force education quantum "
    "computing python function javascript code poem "
    "haiku essay email letter boss homework math physics chemistry biology planet earth mars "
    "galaxy black hole atom energy climate "
    "computer internet website database query server docker kubernetes cloud network password "
    "security bank tax price market stock "
    "bitcoin economy country france germany japan china america england spain italy capital "
    "president king language french german "
    "spanish english word sentence paragraph text article news movie film song music guitar "
    "piano football chess game player sport "
    "doctor medicine vitamin sleep diet recipe pasta pizza soup cake coffee tea wine beer "
    "restaurant hotel flight train ticket travel "
    "beach ocean island forest desert weather winter summer garden plant seed tree dinosaur "
    "history rome greece hamlet shakespeare "
    "einstein newton mozart picasso machine learning model neural data science statistics "
    "algorithm sort list array string loop class "
    "regular expression test bug error exception file folder linux windows phone camera battery "
    "engine bicycle airplane rocket love "
    "friend family child baby wedding birthday gift job interview resume salary plan project "
    "meeting manager customer sales marketing "
    "joke riddle fun random thing simple terms steps example difference between meaning purpose "
    "future past best fastest largest"
).split()
LANGUAGES = "French German Spanish Italian Japanese Latin Chinese Hindi Arabic Greek".split()
ODDITIES = (
    "def f(x): return x|print('hi')|SELECT * FROM users;|for i in range(10):|<html></html>|{\"a\": 1}|x = 3|git push|ls -la|asdf|test|ping|foo bar|"
    "???|...|!!!|12345|3.14|ok|yes|no|why?|What?|Really?|hmm|lol|go|stop|next|more|Continue|"
    "again|http://localhost|a b c|AAAA|qwerty"
).split("|")
UNUSUAL = "\u00e9\u00fc\u00f1\u00df\u4f60\u597d\u4e16\u754c\u043f\u0440\u0438\u0432\u0435\u0442\u3053\u3093\U0001f98a\U0001f600\u00bf\u20ac\u0623"


VERBS = (
    "search find open close start stop read write delete create list book order play show check "
    "update move copy count sort print save load rent buy sell build clean lock"
).split()
NOUNS = (
    "web file mail door light song room table ticket book flight hotel taxi pizza order task "
    "note user list page map image video folder "
    "car lamp window price stock event report city recipe game contact calendar invoice document "
    "database"
).split()
PARAMS = "query name id text title path url key item value topic term target label".split()


SKY = "sunny|cloudy|rainy|windy|snowy|foggy|clear".split("|")
