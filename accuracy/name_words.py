"""Words that names of MIDI files are made of, by language: instruments and parts, titles, persons. Titles and persons are made up."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """The words of a language, separated by commas."""

    parts: str
    titles: str
    persons: str


# fmt: off
WORDS = {
    "ja": Words(
        "ピアノ,ギター,ベース,ドラム,ストリングス,メロディ,コーラス,オルガン,フルート,パーカッション,ブラス,主旋律,伴奏,"
        "歌,右手,左手,三味線,尺八,琴,太鼓,第一バイオリン,トランペット,アコーディオン,エレキギター,木琴,和音,間奏,ﾋﾟｱﾉ,"
        "ｷﾞﾀｰ,ﾍﾞｰｽ,ﾄﾞﾗﾑ,ｽﾄﾘﾝｸﾞｽ,ﾒﾛﾃﾞｨ,ｵﾙｶﾞﾝ,ﾊｰﾌﾟ,ｻｯｸｽ,ｶﾗｵｹ",
        "夜の海,風の歌,桜の木の下で,さよならの前に,青い空,雨の日のワルツ,約束の丘,星に願いを込めて,最後の夏,ありがとう,"
        "恋する気持ち,旅立ちの朝,月光の道,君がいた街,ふるさとの川,雪の降る夜に,夢のつづき,オープニング,エンディング,"
        "戦闘曲,村のテーマ,花火,夕焼け,さくら並木,永遠の翼",
        "山田太郎,佐藤花子,田中健一,鈴木美咲,高橋誠,中村優子,小林さゆり,渡辺直樹,伊藤真理,加藤翔",
    ),
    "zh": Words(
        "钢琴,吉他,贝司,鼓,弦乐,主旋律,合唱,小提琴,长笛,二胡,古筝,琵琶,笛子,伴奏,手风琴,大提琴,打击乐,前奏,间奏,和声,"
        "电吉他,人声",
        "月光下的小河,故乡的云彩,梅花三朵,雨中的回忆,远方的朋友,春天来了,大海啊大海,爱你到永远,我的祖国河山,一路平安,"
        "夜色多美,红色的花,山里人家,秋日私语,天空之上,再见青春,童年的歌谣,草原之夜曲,流浪的心,风中的承诺,长江之水,"
        "快乐的节日,渔家姑娘,黄昏时分,明天会更好吗",
        "王小明,李红梅,张伟,刘德成,陈丽华,赵建国,周玉兰,吴志强,孙静,黄文斌",
    ),
    "zh-tw": Words(
        "鋼琴,吉他,貝斯,鼓,弦樂,主旋律,合唱,小提琴,長笛,二胡,古箏,琵琶,笛子,伴奏,手風琴,大提琴,打擊樂,前奏,間奏,和聲,"
        "電吉他,人聲",
        "月光下的小河,故鄉的雲彩,梅花三朵,雨中的回憶,遠方的朋友,春天來了,大海啊大海,愛你到永遠,望你回來,一路平安,夜色多美,"
        "紅色的花,山裡人家,秋日私語,天空之上,再見青春,童年的歌謠,草原之夜曲,流浪的心,風中的承諾,淡水河邊,快樂的節日,"
        "漁家姑娘,黃昏時分,思念的人",
        "王小明,李紅梅,張偉,劉德成,陳麗華,趙建國,周玉蘭,吳志強,孫靜,黃文斌",
    ),
    "ko": Words(
        "피아노,기타,베이스,드럼,현악기,멜로디,합창,오르간,플루트,바이올린,가야금,장구,반주,노래,트럼펫,색소폰,전주,간주,"
        "코러스,건반,첼로,하모니카",
        "바다의 노래,봄이 오면,비 내리는 밤,그대를 사랑해,고향의 하늘,별이 빛나는 밤에,마지막 편지,슬픈 인연,첫사랑,"
        "하얀 눈,강물처럼,나의 노래,아침 이슬비,꿈속에서,가을 여행,잊지 못할 사람,너에게 가는 길,행복한 하루,눈물의 왈츠,"
        "우리의 약속,달빛 소나타,어머니,영원히,나비야,산토끼",
        "김민수,이영희,박지훈,최수진,정대현,강미라,조성호,윤아름,장동현,임지연",
    ),
    "ru": Words(
        "Фортепиано,Гитара,Бас,Барабаны,Скрипка,Виолончель,Флейта,Хор,Орган,Труба,Мелодия,Аккомпанемент,Баян,Балалайка,"
        "Соло,Вокал,Ударные,Струнные,Саксофон,Кларнет,Правая рука,Левая рука,Ритм-гитара,Вступление,Припев",
        "Зимний вечер,Белая ночь,Песня о реке,Дорога домой,Старый вальс,Осенние листья,Весёлая полька,Тихий океан,"
        "Прощание,Колыбельная для Маши,Поезд,Море зовёт,Синий платок и ветер,Как прежде,Ты не один,Русская плясовая,"
        "Первая любовь,Ждите нас,Ночной город,Шумят берёзы,Миллион звёзд,Мечта,Последний звонок,Школьный двор,Годы летят",
        "Иван Петров,Ольга Смирнова,Сергей Кузнецов,Анна Васильева,Дмитрий Орлов,Щукин,Юрий Жуков,Наталья Цветкова,"
        "Фёдор Зайцев,Эдуард Хомяков",
    ),
    "pl": Words(
        "Główna melodia,Skrzypce,Perkusja – zestaw,Śpiew,Trąbka,Flet podłużny,Chór męski,Gitara rytmiczna – łącznik,"
        "Wiolonczela środkowa,Dzwony rurowe – góra,Bębny,Róg,Wejście,Prawa ręka,Lewa ręka,Głos żeński",
        "Zielona łąka,Pożegnanie z morzem,Żółta róża,Miłość i śnieg,Kołysanka dla córki,Świąteczna noc,Ostatni dzień,"
        "Gdzie jesteś,Wśród nocy ciemnej,Piękna dziewczyna,Dziękuję ci,Tańczymy aż do świtu,Książę z bajki,"
        "Czerwone maki nad łąką,Spójrz na mnie,Słońce nad Wisłą,Pieśń o ziemi naszej",
        "Jan Kowalczyk – Łódź,Małgorzata Wójcik,Paweł Żak,Józef Dąbrowski,Stanisław Górski,Agnieszka Jabłońska,"
        "Michał Ćwik",
    ),
    "cs": Words(
        "Klavír,Kytara sólo – část,Bicí,Smyčce,Flétna,Sbor mužů,Hlavní melodie – nástup,Trubka č. 2,Příklepy,"
        "Housle první – střed,Pravá ruka,Levá ruka,Zpěv,Předehra,Varhany – rejstřík ř.,Lesní roh – večerní",
        "Večerní píseň,Cesta domů,Bílá růže,Modré nebe nad řekou,Ztracená láska,Půlnoční vlak,Starý mlýn,Když přijde jaro,"
        "Žlutý list,Tři přání,Ukolébavka pro Aničku,Na shledanou,Vánoční koleda o hvězdě,Říkej mi dál,Štěstí,Kdo ví,"
        "Ať žije hudba",
        "Jiří Dvořák,Božena Němečková,Tomáš Řezníček,Lukáš Černý,Hana Růžičková,Zdeněk Šťastný,Věra Poláčková",
    ),
    "hu": Words(
        "Zongora – szőlő,Hegedű,Gitár szóló – második,Dobok – első,Fuvola könnyű,Kórus – férfiak,Énekszó,Nagybőgő,Csengő,"
        "Bal kéz – mély,Ütőhangszerek,Vonósok",
        "Őszi dal,Kék ég alatt,Az első hó,Szép jó estét,Erdő mélyén,Tűz és víz,Esti mese – altató,Hűség,A szerelem városa,"
        "Búcsúzó,Hétköznapok hőse,Zöld mező,Idő múlik,Fehér felhők,Szülőföldem,Csöndes eső",
        "Kovács Győző,Nagy Ernő,Szűcs Erzsébet,Fülöp Gergő,Tóth Jenő,Kőszegi Márta",
    ),
    "de": Words(
        "Flöte,Querflöte,Große Trommel,Hörner,Bläser,Geräusche,Männerchor,Schläge,Hände,Übergang,Kontrabaß,"
        "Stabspiel für Kinder,Gefühlvolle Geige,Röhrenglocken",
        "Träumerei am See,Grüne Wälder,Schöne Müllerstochter,Für Anneliese,Die Straße nach Süden,Kleine Nächte,"
        "Frühling im Tal,Über den Wolken der Stadt,Weiße Rosen,Mädchen im Regen,Größer als du,Morgengrüße,"
        "Abschied fällt schwer,Süßer Kuß",
        "Jürgen Müller,Günther Schäfer,Käthe Weiß,Jörg Krämer,Björn Lüders,Änne Groß",
    ),
    "fr": Words(
        "Mélodie,Flûte traversière,Clarinette en si bémol – élève,Chœur,Batterie légère,Guitare électrique,Voix aiguë,"
        "Répétition,Théorbe,Cor à pistons,Célesta,Main gauche – deuxième,Hautbois d’été",
        "L’été à la mer,Première neige,Après la fête,Rêve d’enfant,Le café des âmes,Chanson du marché,Où es-tu,"
        "La forêt enchantée,Noël à l’église,Ça ira mieux,Le garçon et l’étoile,Déjà demain,Prélude à l’aube",
        "Hélène Dupré,François Lefèvre,Jérôme Bézier,Élodie Gagné,Zoé Crépin,Benoît Lemaître",
    ),
    "es": Words(
        "Melodía,Guitarra eléctrica,Percusión,Acordeón,Violín,Órgano,Trombón,Introducción,Línea de bajo,Corazón – coro,"
        "Batería,Saxofón,Caña,Canción",
        "Mañana de abril,El niño y el mar,Corazón de piedra,Adiós amor mío,Pasión gitana,La última canción,Sueño de otoño,"
        "¿Dónde estás?,El camión rojo,Señorita de Málaga,Día de lluvia,Montaña azul,Cumpleaños feliz para José",
        "José Núñez,María Peña,Andrés Gutiérrez,Begoña Ibáñez,Raúl Muñoz,Ángel Ordóñez",
    ),
    "pt": Words(
        "Violão,Percussão,Introdução,Bateria rápida – refrão,Voz média,Órgão,Cordas à frente,Cavaquinho – solo é meu,"
        "Trombone – afinação,Canção",
        "Coração vazio,Manhã de sol,Amanhã talvez,São João na roça,Não vá embora,Saudação,Você é luz,Estação das águas,"
        "Lição de amor,Pão e vinho,Ilusão",
        "João Magalhães,Antônio Conceição,Inês Araújo,Mário Simões,Lúcia Falcão",
    ),
    "it": Words(
        "Città – coro,Contrabbasso più basso,Così fan le trombe,Virtù,Più piano,Perché – voce",
        "Felicità perduta,Perché no,Lunedì mattina,Là dove vai,La libertà,È già sera,Metà di me",
        "Nicolò Ferrè,Mosè Dalì,Niccolò Papà",
    ),
    "sv": Words(
        "Flöjt,Sång,Stråkar,Blåsare,Kör,Trummor på två,Fiol – första stämman,Höger hand,Vänster hand",
        "Sommarkväll vid sjön,En gång till,Blåa ögon,Gläns över sjö,Vår första dans,Hjärtat slår,Natten är ännu ung,"
        "Långt härifrån,Så länge",
        "Åke Sjöberg,Göran Ström,Märta Hägg,Östen Lång",
    ),
    "da": Words(
        "Fløjte,Højre hånd,Kor – mænd,Blæsere,Sækkepibe,Første stemme,Trommesæt",
        "Små fugle,Sømandsvise,Når lyset går,Grønne enge,Hun er så sød,Den røde tråd,Vær hilset",
        "Søren Kjær,Bjørn Nørgård,Åse Mørk",
    ),
}
# fmt: on
