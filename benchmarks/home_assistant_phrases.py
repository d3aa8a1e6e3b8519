"""What people say for the wildcards of the Home Assistant templates: groceries, chores, titles, messages, places.

`phrases(lang)` gives the examples of every wildcard list but `timer_command`, which takes whole sentences.
"""

from __future__ import annotations

GROCERIES = """
apples, bananas, bread, butter, buttermilk, brown rice, baking soda, beef mince, bell peppers, black beans,
blueberries, bottled water, broccoli, carrots, cat food, cauliflower, celery, cereal, cheddar cheese, cherry
tomatoes, chicken breasts, chickpeas, chocolate, cinnamon, coffee, coffee filters, cooking oil, corn, cottage
cheese, cream, crisps, cucumbers, detergent, diapers, dish soap, dog food, eggs, feta, fish fingers, flour, frozen
peas, garlic, ginger, grapes, green tea, ground coffee, ham, hand soap, honey, ice cream, jam, ketchup, kitchen
roll, laundry powder, lemons, lentils, lettuce, light bulbs, limes, maple syrup, mayonnaise, milk, mushrooms,
mustard, nappies, noodles, oat milk, oats, olive oil, olives, onions, orange juice, oranges, paper towels, parmesan,
parsley, pasta, peanut butter, pears, pepper, pineapple, popcorn, potatoes, raisins, rice, rye bread, salad, salmon,
salt, sausages, shampoo, shower gel, soy sauce, sparkling water, spinach, sponges, strawberries, sugar, sunflower
seeds, sweet corn, tea bags, tinned tuna, tissues, tofu, toilet paper, tomato sauce, tomatoes, toothpaste, trash
bags, turkey, vanilla extract, vinegar, walnuts, washing up liquid, white wine, whole milk, wraps, yeast, yogurt,
two bottles of red wine, a dozen eggs, six rolls, three avocados, half a melon, a bag of ice, birthday candles,
batteries, wrapping paper
"""
CHORES = """
book the dentist, buy a birthday card, call grandma, call the bank, call the landlord, cancel the gym, change the
sheets, charge the drill, check the tyre pressure, clean the gutters, clean the oven, clean the windows, collect the
parcel, defrost the freezer, descale the kettle, do the dishes, do the ironing, drop off the dry cleaning, dust the
shelves, empty the bins, empty the dishwasher, feed the fish, file the taxes, fill the bird feeder, find a
babysitter, fix the tap, fix the fence, fold the laundry, get a haircut, get the car washed, hang the picture,
hoover the stairs, lock the shed, mend the curtain, mow the lawn, oil the hinges, order new filters, organise the
garage, pack for the trip, paint the hallway, pay the rent, pay the water bill, pick up the kids, plan the party,
plant the bulbs, polish the shoes, prune the roses, put up the shelf, rake the leaves, read the meter, renew the
insurance, renew the passport, repair the bike, replace the smoke alarm battery, reply to Anna, return the library
books, review the budget, scrub the bath, send the invoice, sew on the button, sharpen the knives, shovel the snow,
sort the recycling, sweep the porch, take out the rubbish, take the cat to the vet, tidy the desk, trim the hedge,
unblock the sink, update the will, vaccinate the dog, walk the dog, wash the car, water the tomatoes, weed the
garden, wipe the counters, wrap the presents, write to the council, back up the laptop, bake a cake, brush the cat,
buy stamps, clean out the fridge, clear the attic, cut the grass, do the homework, iron the shirts, learn the poem,
make the beds, measure the window, meet the plumber, practise the piano, refill the soap, ring the school, sand the
table, set up the printer, sign the form, test the boiler, visit aunt Rose
"""
TITLES = """
The Office, Bohemian Rhapsody, Queen, Beatles, My Favorites, Serial, Inception, Breaking Bad, Abbey Road, Adele,
Alien, All Along the Watchtower, Amelie, Arcade Fire, Back to the Future, Beethoven, Billie Jean, Black Mirror,
Blade Runner, Blondie, Blue Planet, Bob Dylan, Bob Marley, Born to Run, Brandenburg Concertos, Casablanca, Chopin,
Coldplay, Come Together, Cowboy Bebop, Daft Punk, Dancing Queen, David Bowie, Deutschland, Doctor Who, Dolly Parton,
Doors, Drake, Duran Duran, Ella Fitzgerald, Elton John, Eminem, Enya, Faithless, Fargo, Fawlty Towers, Finding Nemo,
Fleetwood Mac, Florence and the Machine, Four Seasons, Frozen, Futurama, Game of Thrones, Genesis, Gladiator,
Goldberg Variations, Gorillaz, Green Day, Hallelujah, Hamilton, Hardcore History, Harry Potter, Here Comes the Sun,
Hey Jude, Highway to Hell, Hotel California, Imagine, Interstellar, Iron Maiden, Jaws, Jazz Classics, Johnny Cash,
Jurassic Park, Kate Bush, Kind of Blue, Kraftwerk, Lady Gaga, Led Zeppelin, Let It Be, Lord of the Rings, Louis
Armstrong, Madonna, Mamma Mia, Massive Attack, Metallica, Moana, Monty Python, Morning Coffee, Mozart, Muse, My Fair
Lady, My Way, Nina Simone, Nirvana, No Surprises, Norah Jones, Oasis, Paranoid Android, Peaky Blinders, Pink Floyd,
Planet Earth, Planet Money, Portishead, Prince, Pulp Fiction, Purple Rain, Radiohead, Radiolab, Rain Sounds, Ray
Charles, Red Hot Chili Peppers, Rock and Roll, Rolling Stones, Rumours, Seinfeld, Sherlock, Sigur Ros, Simon and
Garfunkel, Smooth Criminal, Spirited Away, Stairway to Heaven, Star Wars, Stranger Things, Stuff You Should Know,
Summer Hits, Super Trouper, Taylor Swift, Thank You for the Music, The Crown, The Daily, The Lion King, The Matrix,
The Police, The Simpsons, The Wall, The Wire, This American Life, Thriller, Titanic, Toy Story, Travis, True
Detective, Vivaldi, Waterloo, White Album, Wonderwall, Workout Mix, Yellow Submarine, Yesterday, some jazz,
classical music, relaxing music, rock, nineties hits, country music, lo-fi beats, something by Abba, the news, hip
hop, christmas songs, whale sounds, the radio, piano music, dance music, the latest episode
"""
MESSAGES = """
dinner is ready, lunch is on the table, breakfast is served, it is time for bed, it's time to go, the pizza is here,
the taxi is waiting, your bus leaves in ten minutes, come downstairs please, please be quiet, the movie is about to
start, the laundry is done, someone is at the door, grandma has arrived, I am home, I'm leaving now, we are out of
milk, the cake is in the oven, the game starts at eight, put your shoes on, brush your teeth, feed the dog, don't
forget your keys, happy birthday Tom, good morning everyone, good night, the meeting starts in five minutes, the
kids are asleep, the guests will be here soon, I need help in the garden, turn the music down, who left the fridge
open, the car is packed, dad is on the phone, the plumber is here, the parcel has come, wash your hands, it is
raining, the washing needs to come in, the water will be off at noon, the power will be back soon, we leave at
seven, the soup is getting cold, the cat is out, the baby is awake, tea is ready, coffee is ready, school starts in
an hour, take out the bins, the roast is done, we have visitors, close your windows, stop fighting, clean up your
room, do your homework, five more minutes, the barbecue is lit, the bath is ready, everyone come to the kitchen, the
alarm will be tested today, the Wi-Fi is down, I found the remote, there is cake, let's go for a walk, it's snowing,
the train is late, I will be late tonight, mom is almost home, wake up, lights out in ten minutes, sing with me,
uncle Joe is on his way, the pool is open, movie night in the living room, the show is on, who wants ice cream, the
doctor is calling, hurry up, we are going to the beach, the fire is out, bring your own plate, the cookies are cool
now, help me carry the shopping, the dog needs a walk, the hamster escaped, please set the table, the printer is
free, the shower is free, no more screens today, the sun is out, the sale ends today, we won, they are coming, the
paint is still wet, dessert time, pancakes, food, time for school, rehearsal is at six
"""
TIMERS = """
pizza, pasta, eggs, soft boiled eggs, bread, cookies, cake, roast chicken, rice, potatoes, tea, coffee, green tea,
laundry, washing machine, dryer, dishwasher, homework, reading, workout, yoga, stretching, meditation, nap, power
nap, break, lunch break, meeting, parking, parking meter, bath, shower, hair dye, face mask, screen time, bedtime,
story time, piano, practice, guitar, garden, sprinkler, lawn, plants, oven, grill, barbecue, steak, ribs, salmon,
fish, soup, stew, chili, curry, lasagna, muffins, brownies, pie, dough, sourdough, pancakes, waffles, beans,
lentils, quinoa, broccoli, bacon, turkey, ham, popcorn, ice bath, plank, sprint, intervals, pomodoro, focus, study,
quiz, chess, game, board game, time out, dog walk, cat food, feeding, bottle, baby, diaper, medicine, pills, eye
drops, charging, battery, car wash, glue, paint, varnish, concrete, printer, backup, download, call, interview,
presentation, speech, debate, kids, grandma, dinner, snack, toast, french toast, chicken wings, dumplings, noodles,
my pasta sauce, frozen pizza, second batch, sauna, cold brew
"""
ZONES = """
home, work, school, office, gym, house, garden, library, supermarket, park, pool, airport, station, hospital, hotel,
university, kindergarten, church, beach, cabin, cottage, farm, club, stadium, cinema, theatre, mall, market,
pharmacy, bakery, cafe, restaurant, workshop, studio, factory, warehouse, lake house, summer house, grandma's house,
city, town, village, zoo, museum, bank, dentist, clinic, barber, playground, tennis court, golf course, train
station, bus stop, harbour, campsite, boat, day care, high school, yoga studio, parking lot
"""
ZH_TIMERS = """
披萨, 鸡蛋, 煮鸡蛋, 意面, 面条, 米饭, 煮饭, 炖汤, 煲汤, 红烧肉, 蒸鱼, 烤鸡, 烤箱, 烤面包, 蛋糕, 饼干, 泡茶, 咖啡,
泡面, 饺子, 包子, 馒头, 粥, 豆浆, 酸奶, 牛排, 火锅, 烧烤, 洗衣服, 洗衣机, 烘干机, 洗碗机, 晾衣服, 拖地, 扫地, 作业,
写作业, 读书, 看书, 背单词, 练琴, 钢琴, 吉他, 练字, 画画, 学习, 复习, 考试, 午休, 午睡, 小睡, 睡觉, 休息, 健身,
跑步, 瑜伽, 拉伸, 冥想, 平板支撑, 跳绳, 俯卧撑, 游戏, 看电视, 动画片, 电影, 会议, 开会, 面试, 演讲, 电话, 停车,
接孩子, 遛狗, 喂猫, 喂鱼, 喂奶, 换尿布, 吃药, 滴眼药水, 量体温, 面膜, 染发, 洗澡, 泡澡, 泡脚, 浇花, 浇水, 充电,
备份, 下载, 打印, 油漆, 胶水, 发面, 解冻, 腌肉, 卤味, 汤圆, 粽子, 月饼, 早餐, 午餐, 晚餐, 晚饭, 夜宵, 下午茶,
番茄钟, 专注, 倒垃圾, 快递, 外卖, 出门, 上班, 下班, 上学, 起床, 关火, 关水, 妈妈的药, 爸爸的药, 第二锅, 宝宝
"""
SPOKEN = {
    "en": {
        "HassNevermind": """
            oh never mind, never mind that, nevermind then, just never mind, no never mind, ok nevermind, actually
            never mind, forget it, forget about it, cancel that, it's nothing, don't bother, scrap that, no thanks
        """,
        "HassRespond": """
            hello there, hi there, hey home assistant, who built you, who invented you, who programmed you, are you
            listening, are you recording me, do you always listen, where does all my data go, where is my data
            going, what can I say to you, what can I ask you, what should I say, what else can I ask
        """,
        "HassVacuumReturnToBase": """
            send Rover home, send Rover back to its base, Rover go home, Rover return to base, make Rover return,
            bring Rover back to the base
        """,
        "HassVacuumStart": """
            run Rover, let Rover start, start cleaning with Rover, make Rover clean, get Rover going
        """,
    },
    "zh-cn": {
        "HassNevermind": """
            没事没事, 没事啦, 没事的, 没关系的, 没关系啦, 算了吧, 那算了, 还是算了, 算了不用了, 不用了, 没什么,
            当我没说, 再见啦, 再见了, 拜拜, 你闭嘴, 闭嘴吧, 别说了, 你退下, 先退下, 请退下, 你退下吧, 你先退下吧,
            好了退下吧
        """,
        "HassVacuumReturnToBase": """
            Rover请返回, Rover返回吧, 让Rover返回, 叫Rover返回基站, 让Rover回去充电, Rover回去充电, Rover回基站,
            请Rover返回基站, 让Rover返回充电
        """,
        "HassVacuumStart": """
            让Rover开始, 叫Rover开始打扫, 让Rover开始清洁, 请Rover开始打扫, 让Rover打扫, Rover打扫一下, Rover去打扫,
            Rover开始工作, 启动Rover, Rover开始扫地, 让Rover扫地
        """,
    },
}
"""More ways of saying what few templates say, by tool; "Rover" is the vacuum cleaner of the fixtures."""


def spoken(lang: str) -> list[tuple[str, str]]:
    """Return the sentences of SPOKEN, each with its tool."""
    return [(tool, text) for tool, texts in SPOKEN[lang].items() for text in _listed(texts)]


def phrases(lang: str) -> dict[str, list[str]]:
    """Return the examples of every wildcard list of a language but `timer_command`."""
    if lang == "zh-cn":
        return {"timer_name": _listed(ZH_TIMERS)}
    return {
        "shopping_list_item": _listed(GROCERIES),
        "todo_list_item": _listed(CHORES) + _listed(GROCERIES),
        "search_query": _listed(TITLES),
        "message": _listed(MESSAGES),
        "timer_name": _listed(TIMERS),
        "zone": _listed(ZONES),
    }


def _listed(text: str) -> list[str]:
    return [" ".join(each.split()) for each in text.split(",")]
