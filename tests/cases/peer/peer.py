#!/usr/bin/env python3
"""A SIP far end for the cases beside it: the last two digits of the dialled number choose the behaviour (or --all N for
every number). Writes one JSON line per event to --log. UDP or --tcp; --ip ::1; --options CODE (0 = silence);
--reg 423|multi|noexp|nat; --regdelay SECS; --needreg (403 until registered). Stops by itself after ten minutes.

Beyond the last two digits: --by PREFIX=N (repeatable, the longest prefix of the dialled number decides), --first K:N (the first K
INVITEs behave as N), --after K:N (from the K-th INVITE on), --for SECS:N (until SECS after the first INVITE); --port 0 takes a
free port, the record's first line names it. --regrefuse: 401, then 403; --reglose SECS: bindings of 4 s, refused after SECS."""
import asyncio, sys, json, time, struct, math, re, argparse, os, hashlib
sys.path.insert(0,os.path.dirname(os.path.abspath(__file__)))
import sipkit as S
ap=argparse.ArgumentParser(); ap.add_argument('--port',type=int); ap.add_argument('--log'); ap.add_argument('--ip',default='127.0.0.1'); ap.add_argument('--tcp',action='store_true'); ap.add_argument('--options',type=int,default=200); ap.add_argument('--reg',default=''); ap.add_argument('--all',type=int,default=None); ap.add_argument('--regdelay',type=float,default=0); ap.add_argument('--needreg',action='store_true')
ap.add_argument('--by',action='append',default=[]); ap.add_argument('--first',default=''); ap.add_argument('--after',default=''); ap.add_argument('--for',dest='during',default='')
ap.add_argument('--regrefuse',action='store_true'); ap.add_argument('--reglose',type=float,default=0)
A=ap.parse_args()
LOG=open(A.log,'a',buffering=1)
T0=time.time()
def log(ev,**k): LOG.write(json.dumps(dict(t=round(time.time()-T0,3),ev=ev,**k),ensure_ascii=False)+'\n')
REASON_EXTRA={}
class Rtp(asyncio.DatagramProtocol):
    def __init__(s): s.n=0; s.first=None; s.last=None; s.sizes={}; s.pts={}; s.ts=[]; s.tr=None; s.buf=bytearray()
    def connection_made(s,tr): s.tr=tr
    def datagram_received(s,d,a):
        if len(d)<12: return
        s.n+=1; now=time.time(); s.first=s.first or now; s.last=now
        pt=d[1]&127; s.pts[pt]=s.pts.get(pt,0)+1; s.sizes[len(d)-12]=s.sizes.get(len(d)-12,0)+1; s.src=a
        if pt in (0,8): s.buf+=d[12:]
class Call:
    def __init__(c,peer,req,addr,send):
        c.p=peer; c.inv=req; c.addr=addr; c.send=send; c.num=S.user_of(req.uri); c.tag=S.new_tag(); c.q=asyncio.Queue(); c.cid=req.get('call-id'); c.cseq=100
        c.sd=S.parse_sdp(req.body) if req.body else None; c.rtp=None; c.over=False; c.seq=1000; c.ssrc=0x1234
        c.ts=5000; c.pt=8; c.extra_rtp=None; c.audio_on=False
    async def open_rtp(c):
        loop=asyncio.get_running_loop()
        tr,pr=await loop.create_datagram_endpoint(Rtp,local_addr=(A.ip,0)); return tr,pr,tr.get_extra_info('sockname')[1]
    async def media(c):
        c.tr,c.rtp,c.rport=await c.open_rtp()
    def resp(c,code,reason=None,req=None,body=b'',extra=(),contact='def',tag=True,ctype='application/sdp',**k):
        req=req or c.inv
        if contact=='def': contact=f'<sip:far@{hp(A.ip)}:{A.port}{";transport=tcp" if A.tcp else ""}>' if 100<code<300 else None
        if isinstance(body,str): body=body.encode()
        c.send(S.response(req,code,reason,to_tag=c.tag if tag else None,extra=extra,body=body,src=c.addr[:2],contact=contact,ctype=ctype,**k))
        log('tx',num=c.num,code=code,cseq=req.get('cseq'))
    def sdp(c,port=None,**k):
        if ':' in A.ip:
            s=S.sdp(A.ip,port or c.rport,**k); return s.replace('IN IP4','IN IP6')
        return S.sdp(A.ip,port or c.rport,**k)
    def request(c,method,body='',extra=(),ctype='application/sdp'):
        c.cseq+=1
        m=re.search(r'<([^>]+)>',c.inv.get('contact')); uri=m.group(1)
        to=c.inv.get('from'); fr=(c.inv.get('to') or '')+f';tag={c.tag}'
        hs=[('Via',f'SIP/2.0/{"TCP" if A.tcp else "UDP"} {hp(A.ip)}:{A.port};branch={S.new_branch()};rport'),('Max-Forwards','70'),('From',fr),('To',to),('Call-ID',c.cid),('CSeq',f'{c.cseq} {method}'),('Contact',f'<sip:far@{hp(A.ip)}:{A.port}>')]+list(extra)
        if body: hs.append(('Content-Type',ctype))
        c.send(S.build(f'{method} {uri} SIP/2.0',hs,body)); log('tx',num=c.num,method=method,cseq=c.cseq)
        return c.cseq
    async def wait(c,pred,timeout):
        end=time.time()+timeout
        while True:
            left=end-time.time()
            if left<=0: return None
            try: m=await asyncio.wait_for(c.q.get(),left)
            except asyncio.TimeoutError: return None
            if pred(m): return m
    async def wait_resp(c,cseq,timeout=8):
        return await c.wait(lambda m: m.code and m.code>=200 and m.cseq()[0]==cseq and m.cseq()[1]!='INVITE' or (m.code and m.code>=200 and m.cseq()[0]==cseq),timeout)
    def rsend(c,pt,payload,ts=None,marker=False,seq=True):
        if not c.sd or not c.sd.get('port'): return
        c.seq=(c.seq+1)&0xffff
        h=struct.pack('!BBHII',0x80,(0x80 if marker else 0)|pt,c.seq,(c.ts if ts is None else ts)&0xffffffff,c.ssrc)
        c.tr.sendto(h+payload,(c.sd['ip'],c.sd['port']))
    async def audio(c,secs,gen=None,ptime=20):
        n=int(secs*1000/ptime); t=time.time()
        for i in range(n):
            if c.over: return
            k=8*ptime
            pl=gen(c.ts,k) if gen else b'\xd5'*k
            c.rsend(c.pt,pl); c.ts+=k; t+=ptime/1000; await asyncio.sleep(max(0,t-time.time()))
    async def digit(c,ev,pt=101,packets=8,ends=3,marker=True,inc_ts=False,end_newts=False):
        base=c.ts
        for i in range(packets+ends):
            end=i>=packets; dur=160*(min(i,packets-1)+1)
            ts=base+(160*i if inc_ts else 0)
            if end_newts and i>packets: ts=base+160*i
            c.rsend(pt,bytes([ev,(0x80 if end else 0)|10])+struct.pack('!H',dur),ts=ts,marker=marker and i==0)
            await asyncio.sleep(0.02)
        c.ts=base+160*(packets+ends)
    def stat(c,why):
        r=c.rtp
        log('rtp',num=c.num,why=why,n=r.n if r else 0,pts=r.pts if r else {},sizes=r.sizes if r else {},secs=round(r.last-r.first,2) if r and r.n else 0)
        if r and r.buf: open(os.path.join(os.path.dirname(A.log) or '.',f'rx-{c.num}.al'),'wb').write(bytes(r.buf))
    async def until_bye(c,t=40):
        m=await c.wait(lambda m:m.method in('BYE',),t)
        c.stat('end'); log('ended',num=c.num,by='dialer' if m else 'nobody-in-time',reason=m.get('reason') if m else None, ruri=m.uri if m else None, route=m.all('route') if m else None)
    async def answer(c,body=None,extra=(),contact='def',tag=True,**k):
        c.resp(200,body=c.sdp() if body is None else body,extra=extra,contact=contact,tag=tag,**k)
        a=await c.wait(lambda m:m.method=='ACK',5)
        log('ack',num=c.num,got=bool(a),ruri=a.uri if a else None,to=a.get('to') if a else None,route=a.all('route') if a else None)
        return a
    async def bye(c,extra=()):
        n=c.request('BYE',extra=extra); m=await c.wait_resp(n,4); c.stat('far-bye'); log('bye-answer',num=c.num,code=m.code if m else None); c.over=True
    async def ring(c,secs=0.3,code=180,**k):
        c.resp(100,tag=False,contact=None); c.resp(code,**k); await asyncio.sleep(secs)
def hp(ip): return f'[{ip}]' if ':' in ip else ip
def tone(f1,f2,amp=6000):
    def g(ts,k): return alaw([amp*(math.sin(2*math.pi*f1*(ts+i)/8000)+math.sin(2*math.pi*f2*(ts+i)/8000)) for i in range(k)])
    return g
def alaw(samples):
    def enc(x):
        s=int(x); sign=0x80 if s>=0 else 0; s=abs(s)>>3
        if s>4095>>0: s=4095
        if s<32: v=s>>1
        else:
            e=1
            while s>=64: s>>=1; e+=1
            v=(e<<4)|((s>>1)&15)
        return (v|sign)^0x55
    return bytes(enc(x) for x in samples)
B={}
def b(n):
    def deco(f): B[n]=f; return f
    return deco
@b(0)
async def plain(c):
    await c.media(); await c.ring(); await c.answer(); await c.until_bye()
@b(1)
async def nomarker(c):
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5); await c.digit(1,marker=False); await c.audio(1); await c.until_bye()
@b(2)
async def incts(c):
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5); await c.digit(1,inc_ts=True); await c.audio(1); await c.until_bye()
@b(3)
async def endnew(c):
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5); await c.digit(1,end_newts=True); await c.audio(1); await c.until_bye()
@b(4)
async def sparse(c):
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5); base=c.ts
    for dur,end,w in((1280,0,.16),(2560,0,1.38),(13568,1,.02),(13568,1,.02),(13568,1,.02)):
        c.rsend(101,bytes([1,(0x80 if end else 0)|10])+struct.pack('!H',dur),ts=base,marker=dur==1280); await asyncio.sleep(w)
    c.ts=base+13568+160; await c.audio(1); await c.until_bye()
@b(5)
async def infodtmf(c):
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5)
    n=c.request('INFO',body='2',ctype='application/dtmf'); m=await c.wait_resp(n,3); log('info',num=c.num,code=m.code if m else None); await c.audio(1); await c.until_bye()
@b(6)
async def inforelay(c):
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5)
    n=c.request('INFO',body='signal = 2\nduration=160\n',ctype='Application/DTMF-Relay'); m=await c.wait_resp(n,3); log('info',num=c.num,code=m.code if m else None); await c.audio(1); await c.until_bye()
@b(7)
async def inband(c):
    await c.media(); await c.ring(); await c.answer(body=c.sdp(pts=((8,'PCMA/8000'),))); await c.audio(0.5); await c.audio(0.3,gen=tone(697,1209)); await c.audio(1.5); await c.until_bye()
@b(8)
async def sdp180(c):
    await c.media(); c.resp(100,tag=False,contact=None); c.resp(180,body=c.sdp()); await c.audio(0.4); await c.answer(body=b''); await c.audio(1); await c.until_bye()
@b(9)
async def notag(c):
    await c.media(); c.resp(100,tag=False,contact=None); c.resp(183,body=c.sdp(),tag=False); await asyncio.sleep(.3); await c.answer(tag=False); await c.until_bye()
@b(10)
async def barecontact(c):
    await c.media(); await c.ring(); await c.answer(contact=f'sip:far-bare@{A.ip}:{A.port}'); await c.until_bye()
@b(11)
async def instance(c):
    await c.media(); await c.ring(); await c.answer(contact=f'<sip:far@{A.ip}:{A.port};alias=x~1~2>;+sip.instance="<urn:uuid:00000000-0000-0000-0000-000000000001>";+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service"'); await c.until_bye()
@b(12)
async def nocontact1xx(c):
    await c.media(); c.resp(100,tag=False,contact=None); c.resp(183,body=c.sdp(),contact=None); await asyncio.sleep(.3); await c.answer(); await c.until_bye()
@b(13)
async def t38(c):
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.8)
    body=f'v=0\r\no=carrier 1 2 IN IP4 {A.ip}\r\ns=-\r\nc=IN IP4 {A.ip}\r\nt=0 0\r\nm=image {c.rport+1} udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\na=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxDatagram:400\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n'
    n0=c.rtp.n; n=c.request('INVITE',body=body); m=await c.wait_resp(n,5); log('reinvite',num=c.num,code=m.code if m else None,body=m.body.decode() if m else '')
    if m: ackfor(c,m,n)
    await c.audio(1); log('after',num=c.num,more=c.rtp.n-n0); await c.until_bye()
def ackfor(c,m,n):
    uri=re.search(r'<([^>]+)>',c.inv.get('contact')).group(1)
    c.send(S.build(f'ACK {uri} SIP/2.0',[('Via',f'SIP/2.0/UDP {A.ip}:{A.port};branch={S.new_branch()}'),('Max-Forwards','70'),('From',(c.inv.get('to') or '')+f';tag={c.tag}'),('To',c.inv.get('from')),('Call-ID',c.cid),('CSeq',f'{n} ACK')]))
@b(14)
async def video(c):
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5)
    body=c.sdp(ver=2)+'m=video 40000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=sendrecv\r\n'
    n0=c.rtp.n; n=c.request('INVITE',body=body); m=await c.wait_resp(n,5); log('reinvite',num=c.num,code=m.code if m else None,body=m.body.decode() if m else '')
    if m: ackfor(c,m,n)
    await c.audio(1); log('after',num=c.num,more=c.rtp.n-n0); await c.until_bye()
@b(15)
async def strict(c):
    await c.media(); rr=[('Record-Route',f'<sip:{A.ip}:{A.port}>')]
    await c.ring(extra=rr); await c.answer(extra=rr,contact='<sip:inner@192.0.2.9:5070>'); await c.until_bye()
@b(16)
async def auth1(c):
    await c.media()
    if not c.inv.get('proxy-authorization'):
        c.resp(407,extra=[('Proxy-Authenticate','Digest realm="Tel, \\"Carrier\\" 1", nonce="n+/=:;,abc", algorithm="MD5", qop=auth, stale="FALSE", opaque=""')]); return
    v=c.inv.get('proxy-authorization'); a=S.parse_auth(v)
    realm='Tel, \\"Carrier\\" 1'
    oks={}
    for r in (realm, realm.replace('\\"','"')):
        oks[r]=S.digest_response(a['username'],r,'pa$$"w#\\rd','INVITE',a['uri'],a['nonce'],a.get('qop'),a.get('nc',''),a.get('cnonce',''),a.get('algorithm','MD5'))==a['response']
    log('auth',num=c.num,line=v,uri_eq=a.get('uri')==c.inv.uri,ruri=c.inv.uri,ok=oks); await c.ring(); await c.answer(); await c.until_bye()
@b(17)
async def authsess(c):
    await c.media()
    if not c.inv.get('authorization'):
        c.resp(401,extra=[('WWW-Authenticate','Digest realm="carrier", nonce="abc123", algorithm=MD5-sess, qop="auth"')]); return
    v=c.inv.get('authorization'); ok,why=S.check_digest(v,'INVITE','pa$$"w#\\rd'); log('auth',num=c.num,ok=ok,why=why,line=v); await c.ring(); await c.answer(); await c.until_bye()
@b(19)
async def se_uac(c):
    await c.media(); c.resp(100,tag=False,contact=None); c.resp(183,body=c.sdp()); await asyncio.sleep(.5)
    await c.answer(extra=[('Session-Expires','90;refresher=uac'),('Require','timer'),('Allow','INVITE, ACK, BYE, CANCEL, INFO')]); t=time.time()
    m=await c.wait(lambda m:m.method in('INVITE','UPDATE','BYE'),75); log('refresh',num=c.num,method=m.method if m else None,after=round(time.time()-t,1))
    if m and m.method in('INVITE','UPDATE'):
        c.resp(200,req=m,body=c.sdp(ver=1),extra=[('Session-Expires','90;refresher=uac')])
    await c.until_bye(60)
@b(21)
async def se_small(c):
    await c.media(); await c.ring(); await c.answer(extra=[('Session-Expires','30;refresher=uas')]); await c.until_bye(60)
@b(22)
async def ring480(c):
    await c.ring(7 if False else 4); c.resp(480)
@b(23)
async def busy16(c):
    await c.ring(); c.resp(486,extra=[('Reason','Q.850;cause=16;text="NORMAL_CLEARING"')])
@b(24)
async def tworeasons(c):
    await c.ring(); c.resp(603,extra=[('Reason','SIP;cause=603;text="Declined, by network", q.850 ;text="no, such"; cause=1')])
@b(25)
async def byereason(c):
    await c.media(); await c.ring(); await c.answer(); await c.audio(.6); await c.bye(extra=[('Reason','Q.850;cause=31;text="balance exhausted"'),('X-Hangup','arrears')])
@b(26)
async def ptime30(c):
    await c.media(); await c.ring(); await c.answer(body=c.sdp(ptime=30)); await c.audio(2,ptime=30); await c.digit(1); await c.until_bye()
@b(27)
async def maxptime10(c):
    await c.media(); await c.ring(); await c.answer(body=c.sdp(ptime=10,extra='a=maxptime:10')); await c.audio(1,ptime=10); await c.until_bye()
@b(28)
async def ring487(c):
    await c.ring(2); c.resp(487)
@b(29)
async def nf404(c):
    c.resp(404)
@b(30)
async def ringlong603noanswer(c):
    await c.ring(2); c.resp(500,reason='No answer',extra=[('Reason','SIP;cause=500;text="x"'),('Reason','Q.850;cause=19;text="No answer from user (user alerted)"')])
@b(31)
async def dtmf60(c):   # ptime 60 with key during
    await c.media(); await c.ring(); await c.answer(body=c.sdp(ptime=60)); await c.audio(1.2,ptime=60); await c.digit(2); await c.audio(.5,ptime=60); await c.until_bye()
@b(32)
async def savp(c):
    await c.media(); await c.ring(); await c.answer(body=c.sdp().replace('RTP/AVP','RTP/SAVP')); await c.until_bye(20)
@b(33)
async def ansconst(c):   # inband key while telephone-event was negotiated
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5); await c.audio(0.3,gen=tone(697,1336)); await c.audio(1.5); await c.until_bye()
@b(34)
async def keyhash10(c):
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5)
    n=c.request('INFO',body='Signal=10\r\nDuration=160\r\n',ctype='application/dtmf-relay'); m=await c.wait_resp(n,3); log('info',num=c.num,code=m.code if m else None); await c.audio(1); await c.until_bye()
@b(35)
async def race(c):
    await c.media(); c.resp(100,tag=False,contact=None); c.resp(183,body=c.sdp()); c.resp(200,body=c.sdp(ver=2)); a=await c.wait(lambda m:m.method=='ACK',5); log('ack',num=c.num,got=bool(a)); await c.until_bye()
@b(36)
async def hold_at_answer(c):
    await c.media(); await c.ring(); await c.answer(body=c.sdp(direction='inactive')); await asyncio.sleep(1.0); n0=c.rtp.n
    n=c.request('INVITE',body=c.sdp(ver=2)); m=await c.wait_resp(n,5); log('reinvite',num=c.num,code=m.code if m else None)
    if m: ackfor(c,m,n)
    await c.audio(1); log('after',num=c.num,before=n0,more=c.rtp.n-n0); await c.until_bye()
@b(40)
async def f403(c):
    c.resp(403,'Forbidden')
@b(41)
async def key_early(c):   # key within 100 ms of the ACK, before the announcement is well begun
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.06); await c.digit(2); await c.audio(4); await c.until_bye()
@b(42)
async def two_keys(c):    # 1, then corrects to 2 at once
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5); await c.digit(1); await c.audio(.15); await c.digit(2); await c.audio(4); await c.until_bye()
@b(43)
async def unmapped(c):    # 5 is not mapped, then 1
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5); await c.digit(5); await c.audio(.6); await c.digit(1); await c.audio(4); await c.until_bye()
@b(44)
async def many_nine(c):   # 9 = repeat, pressed again and again
    await c.media(); await c.ring(); await c.answer()
    for i in range(40):
        if c.over: break
        await c.audio(1.2); await c.digit(9)
    await c.until_bye()
@b(45)
async def key_late(c):    # in the last moment of the input wait
    await c.media(); await c.ring(); await c.answer(); await c.audio(4.7); await c.digit(1); await c.audio(2); await c.until_bye()
@b(46)
async def ts_nine(c):     # repeat key by a sender whose timestamps run on
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5); await c.digit(9,inc_ts=True); await c.audio(6); await c.until_bye(60)
@b(47)
async def star_ts(c):
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5); await c.digit(1,pt=101,packets=3,ends=0); await c.audio(.4); await c.digit(1); await c.audio(4); await c.until_bye()
@b(50)
async def longpdd(c):     # 5 s until it rings, answered 3 s after that
    c.resp(100,tag=False,contact=None); await asyncio.sleep(5); c.resp(180); await asyncio.sleep(3)
    if c.over: return
    await c.media(); await c.answer(); await c.until_bye()
@b(51)
async def xrtp(c):        # every packet with a header extension and a CSRC, events with padding
    await c.media(); await c.ring(); await c.answer()
    def send(pt,pl,ts,m=False):
        c.seq+=1; pad=b'\0\0\0\4'
        h=struct.pack('!BBHIII',0x80|0x20|0x10|1,(0x80 if m else 0)|pt,c.seq,ts,c.ssrc,0x99)+struct.pack('!HHI',0xBEDE,1,0x10aa0000)
        c.tr.sendto(h+pl+pad,(c.sd['ip'],c.sd['port']))
    for i in range(20): send(8,b'\xd5'*160,c.ts); c.ts+=160; await asyncio.sleep(.02)
    base=c.ts
    for i in range(9): send(101,bytes([1,(0x80 if i>5 else 0)|10])+struct.pack('!H',160*(min(i,5)+1)),base,i==0); await asyncio.sleep(.02)
    c.ts=base+1600
    for i in range(60): send(8,b'\xd5'*160,c.ts); c.ts+=160; await asyncio.sleep(.02)
    await c.until_bye()
@b(52)
async def both(c):        # one press told twice: INFO and RTP events
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5)
    n=c.request('INFO',body='Signal=1\r\nDuration=160\r\n',ctype='application/dtmf-relay'); await c.digit(1); await c.audio(3); await c.until_bye()
@b(53)
async def bothrtp(c):     # RTP events and the tone in the audio at once
    await c.media(); await c.ring(); await c.answer(); await c.audio(0.5); g=tone(697,1209); base=c.ts
    for i in range(10):
        c.rsend(8,g(c.ts,160)); c.rsend(101,bytes([1,(0x80 if i>6 else 0)|10])+struct.pack('!H',160*(min(i,6)+1)),ts=base,marker=i==0); c.ts+=160; await asyncio.sleep(.02)
    await c.audio(3); await c.until_bye()
@b(60)
async def wrongpw(c):
    if not c.inv.get('proxy-authorization'): c.resp(407,extra=[('Proxy-Authenticate','Digest realm="carrier", nonce="n%d", algorithm=MD5, qop="auth"'%int(time.time()*1000))]); return
    c.resp(403,'Authentication failed')
@b(61)
async def second_challenge(c):  # credentials are never good enough
    c.resp(407,extra=[('Proxy-Authenticate','Digest realm="carrier", nonce="n%d", algorithm=MD5, qop="auth"'%int(time.time()*1000000))])
@b(62)
async def authint(c):           # qop=auth-int alone: the hash covers the body
    if not c.inv.get('authorization'): c.resp(401,extra=[('WWW-Authenticate','Digest realm="carrier", nonce="abc123", algorithm=MD5, qop="auth-int"')]); return
    ok,why=S.check_digest(c.inv.get('authorization'),'INVITE','x',body=c.inv.body,want_qop='auth-int'); log('auth',num=c.num,ok=ok,why=why)
    if not ok: c.resp(403); return
    await c.media(); await c.ring(); await c.answer(); await c.until_bye()
@b(63)
async def multipart(c):         # SDP in multipart/mixed beside another part
    await c.media(); await c.ring(); x='x-part'
    body=f'--{x}\r\nContent-Type: application/isup;version=itu-t92+\r\nContent-Disposition: signal;handling=optional\r\n\r\n\x06\x00\r\n--{x}\r\nContent-Type: application/sdp\r\n\r\n{c.sdp()}\r\n--{x}--\r\n'
    await c.answer(body=body,ctype=f'multipart/mixed;boundary={x}'); await c.until_bye()
@b(64)
async def bye_first(c):         # hung up before our ACK can be there
    await c.media(); await c.ring(); c.resp(200,body=c.sdp()); n=c.request('BYE'); m=await c.wait_resp(n,6); log('bye-answer',num=c.num,code=m.code if m else None)
@b(65)
async def silent(c):            # 100, then nothing
    c.resp(100,tag=False,contact=None); await asyncio.sleep(60)
@b(66)
async def rings_on(c):
    await c.ring(60)
@b(67)
async def private_sdp(c):       # the SDP names a private address, the media comes from the signalling one
    await c.media(); await c.ring(); await c.answer(body=c.sdp(media_ip='10.255.255.1')); await c.audio(3); await c.until_bye()
@b(68)
async def nothing_common(c):    # G.729 alone in the answer
    await c.media(); await c.ring(); await c.answer(body=c.sdp(pts=((18,'G729/8000'),))); await c.until_bye(20)
@b(69)
async def port_zero(c):
    await c.media(); await c.ring(); await c.answer(body=S.sdp(A.ip,0)); await c.until_bye(20)
async def rtp_at(ip):
    loop=asyncio.get_running_loop(); tr,pr=await loop.create_datagram_endpoint(Rtp,local_addr=(ip,0)); return tr,pr,tr.get_extra_info('sockname')[1]
@b(70)
async def otherip(c):   # media server on another address than signalling
    c.tr,c.rtp,c.rport=await rtp_at('127.0.0.2'); await c.ring(); await c.answer(body=c.sdp(media_ip='127.0.0.2')); await c.audio(.5); await c.digit(1); await c.audio(2); await c.until_bye()
@b(71)
async def asym(c):      # sends from another port than it receives on
    await c.media(); await c.ring(); await c.answer(); keep=c.tr; c.tr,_,_=await rtp_at('127.0.0.1'); await c.audio(.5); await c.digit(1); await c.audio(2); await c.until_bye()
@b(72)
async def asymip(c):    # sends from another address than it receives on
    await c.media(); await c.ring(); await c.answer(); c.tr,_,_=await rtp_at('127.0.0.3'); await c.audio(.5); await c.digit(1); await c.audio(2); await c.until_bye()
@b(73)
async def early_key(c): # a key told in the early media, before the answer (IVR of a colour ring service)
    await c.media(); c.resp(100,tag=False,contact=None); c.resp(183,body=c.sdp()); await c.audio(.5); await c.digit(2); await c.audio(.5); await c.answer(); await c.audio(.5); await c.digit(1); await c.audio(2); await c.until_bye()
@b(74)
async def held_midway(c):       # held after 0.5 s, for two seconds
    await c.media(); await c.ring(); await c.answer(); await c.audio(.5)
    for k,d in ((2,'sendonly'),(3,'sendrecv')):
        n=c.request('INVITE',body=c.sdp(ver=k,direction=d)); m=await c.wait_resp(n,5); log('reinvite',num=c.num,code=m.code if m else None,direction=d)
        if m: ackfor(c,m,n)
        await c.audio(2)
    await c.until_bye()
@b(80)
async def odd500(c): c.resp(500)
@b(81)
async def odd488(c): c.resp(488)
@b(82)
async def at_once480(c): c.resp(480)
@b(83)
async def rang480(c):
    await c.ring(1.5); c.resp(480)
@b(84)
async def later503(c): c.resp(503,extra=[('Retry-After','2')])
@b(85)
async def arrears(c):           # answered, an announcement of the carrier, hung up after two seconds
    await c.media(); await c.ring(); await c.answer(); await c.audio(2); await c.bye()
@b(86)
async def double_press(c):      # 1 and 1 again, as fingers do
    await c.media(); await c.ring(); await c.answer(); await c.audio(.5); await c.digit(1); await c.audio(.12); await c.digit(1); await c.audio(2); await c.until_bye()
def pair(f1,a1,f2,a2):
    def lin(ts,k): return [a1*math.sin(2*math.pi*f1*(ts+i)/8000)+a2*math.sin(2*math.pi*f2*(ts+i)/8000) for i in range(k)]
    return lambda ts,k: alaw(lin(ts,k))
@b(87)
async def twisted(c):           # 2 with the low group 6 dB above, then 9 with the high group 3 dB above
    await c.media(); await c.ring(); await c.answer(body=c.sdp(pts=((8,'PCMA/8000'),))); await c.audio(.5)
    await c.audio(.1,gen=pair(697,6000,1336,3000)); await c.audio(.1); await c.audio(.1,gen=pair(852,4200,1477,6000)); await c.audio(2); await c.until_bye()
@b(88)
async def short_tones(c):       # 1 2 as tones of 60 ms with pauses of 60 ms
    await c.media(); await c.ring(); await c.answer(body=c.sdp(pts=((8,'PCMA/8000'),))); await c.audio(.5)
    await c.audio(.06,gen=tone(697,1209)); await c.audio(.06); await c.audio(.06,gen=tone(697,1336)); await c.audio(2); await c.until_bye()
@b(89)
async def no_keys(c):           # tones that are none: off by 4 %, one group alone, twist of 14 dB, a blip of 15 ms
    await c.media(); await c.ring(); await c.answer(body=c.sdp(pts=((8,'PCMA/8000'),))); await c.audio(.3)
    for g in (tone(697*1.04,1209*1.04),tone(697,697,3000),pair(697,6000,1209,1200)):
        await c.audio(.2,gen=g); await c.audio(.1)
    g=tone(697,1209); await c.audio(.02,gen=lambda ts,k: g(ts,120)+b'\xd5'*(k-120)); await c.audio(1.5); await c.until_bye()
@b(90)
async def lost_ends(c):         # every end packet is lost
    await c.media(); await c.ring(); await c.answer(); await c.audio(.5); await c.digit(1,ends=0); await c.audio(2); await c.until_bye()
@b(91)
async def lost_begin(c):        # only the repeated ends arrive
    await c.media(); await c.ring(); await c.answer(); await c.audio(.5); base=c.ts
    for i in range(3): c.rsend(101,bytes([2,0x80|10])+struct.pack('!H',1280),ts=base); await asyncio.sleep(.02)
    c.ts=base+1600; await c.audio(2); await c.until_bye()
@b(92)
async def key_all_ways(c):      # one press by INFO, by RTP and in the audio
    await c.media(); await c.ring(); await c.answer(); await c.audio(.5); g=tone(697,1209); base=c.ts
    c.request('INFO',body='Signal=1\r\nDuration=160\r\n',ctype='application/dtmf-relay')
    for i in range(10):
        c.rsend(8,g(c.ts,160)); c.rsend(101,bytes([1,(0x80 if i>6 else 0)|10])+struct.pack('!H',160*(min(i,6)+1)),ts=base,marker=i==0); c.ts+=160; await asyncio.sleep(.02)
    await c.audio(2.5); await c.until_bye()
class Peer:
    def __init__(p): p.calls={}; p.done={}; p.reg=False; p.seen={}; p.began=None
    def data(p,raw,addr,send):
        try: m=S.parse(raw)
        except Exception as e: log('bad',e=str(e),raw=raw[:200].decode('latin1')); return
        cid=m.get('call-id')
        if m.method=='OPTIONS':
            log('options'); 
            if A.options: send(S.response(m,A.options,to_tag='x',src=addr[:2]))
            return
        if m.method=='REGISTER': return asyncio.ensure_future(p.register(m,addr,send)) and None
        if m.method=='INVITE' and not S.tag_of(m.get('to')):
            key=(cid,m.cseq()[0])
            if key in p.done: return
            p.done[key]=1
            log('invite',num=S.user_of(m.uri),ruri=m.uri,frm=m.get('from'),rpid=m.get('remote-party-id'),auth=bool(m.get('authorization') or m.get('proxy-authorization')),ppi=m.get('p-preferred-identity'),pai=m.get('p-asserted-identity'),cid=cid,to=m.get('to'),contact=m.get('contact'),sdp=m.body.decode('utf8','replace') if len(p.done)<3 else '')
            if A.needreg and not p.reg:
                send(S.response(m,403,'Not registered',to_tag='nr',src=addr[:2])); log('tx',num=S.user_of(m.uri),code=403); return
            c=Call(p,m,addr,send); p.calls[cid]=c
            asyncio.ensure_future(p.run(c,B.get(p.choose(c.num,m),B[0]))); return
        c=p.calls.get(cid)
        if not c: 
            if m.method and m.method!='ACK': send(S.response(m,481,src=addr[:2]))
            return
        if m.method=='CANCEL':
            send(S.response(m,200,src=addr[:2],to_tag=c.tag)); c.resp(487); log('cancel',num=c.num); c.over=True; return
        if m.method=='BYE':
            send(S.response(m,200,src=addr[:2])); c.over=True
        if m.method=='INFO': send(S.response(m,200,src=addr[:2]))
        c.q.put_nowait(m)
    def choose(p,num,m):
        k=(m.get('call-id'),num)
        if k not in p.seen: p.seen[k]=len(p.seen)+1; p.began=p.began or time.time()
        n=p.seen[k]; at=lambda text: (float(text.split(':')[0]),int(text.split(':')[1]))
        if A.during and time.time()-p.began<at(A.during)[0]: return at(A.during)[1]
        if A.first and n<=at(A.first)[0]: return at(A.first)[1]
        if A.after and n>=at(A.after)[0]: return at(A.after)[1]
        for pre,b in sorted((x.split('=') for x in A.by),key=lambda x:-len(x[0])):
            if num.lstrip('+').startswith(pre): return int(b)
        return A.all if A.all is not None else int(num[-2:]) if num[-2:].isdigit() else 0
    async def run(p,c,f):
        try: await f(c)
        except Exception as e:
            import traceback; log('crash',num=c.num,e=traceback.format_exc())
    async def register(p,m,addr,send):
        if time.time()-T0<A.regdelay: log('register-ignored'); return
        if A.regrefuse:
            log('register',auth=bool(m.get('authorization')))
            if not m.get('authorization'): return send(S.response(m,401,to_tag='r',src=addr[:2],extra=[('WWW-Authenticate','Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"')]))
            return send(S.response(m,403,'Forbidden',to_tag='r',src=addr[:2]))
        if A.reglose and time.time()-T0>A.reglose:
            p.reg=False; log('register-refused'); return send(S.response(m,403,'Forbidden',to_tag='r',src=addr[:2]))
        p.reg=True
        exp=m.get('expires'); ct=m.get('contact'); log('register',exp=exp,contact=ct,auth=bool(m.get('authorization')),ruri=m.uri,to=m.get('to'),frm=m.get('from'))
        if A.reg=='423' and int(re.search(r'expires=(\d+)',ct or '').group(1) if re.search(r'expires=(\d+)',ct or '') else exp or 0)<7200:
            return send(S.response(m,423,to_tag='r',src=addr[:2],extra=[('Min-Expires','7200')]))
        if A.reg=='multi':
            u=S.uri_of(ct)
            return send(S.response(m,200,to_tag='r',src=addr[:2],extra=[('Contact',f'<sip:other@192.0.2.7:5062>;expires=20, <sip:other2@192.0.2.8>;expires=3600'),('Contact',f'<{u}>;expires=60')]))
        if A.reg=='noexp':
            return send(S.response(m,200,to_tag='r',src=addr[:2]))
        if A.reg=='nat':
            return send(S.response(m,200,to_tag='r',src=addr[:2],extra=[('Contact','<sip:u@198.51.100.7:41000>;expires=3600')]))
        send(S.response(m,200,to_tag='r',src=addr[:2],extra=[('Contact',(ct or '').split(';expires')[0]+(';expires=4' if A.reglose else ';expires=60'))]))
class U(asyncio.DatagramProtocol):
    def __init__(u,p): u.p=p
    def connection_made(u,tr): u.tr=tr
    def datagram_received(u,d,a): u.p.data(d,a,lambda x:u.tr.sendto(x,a))
async def tcpconn(p,r,w):
    addr=w.get_extra_info('peername'); buf=b''; log('tcp-open')
    async def slow(x):
        # split at a CRLF of a header line, as a stream may deliver it
        i=x.find(b'\r\n',40); w.write(x[:i]); await w.drain(); await asyncio.sleep(.05); w.write(x[i:i+2]); await w.drain(); await asyncio.sleep(.05); w.write(x[i+2:]); await w.drain()
    lock=asyncio.Lock()
    async def put(x):
        async with lock: await slow(x)
    async def ka():
        while True:
            await asyncio.sleep(.7)
            async with lock: w.write(b'\r\n\r\n'); await w.drain()
            await asyncio.sleep(.3)
            async with lock: w.write(b'\r'); await w.drain(); await asyncio.sleep(.05); w.write(b'\n\r\n'); await w.drain()
    k=asyncio.ensure_future(ka())
    try:
        while True:
            d=await r.read(65536)
            if not d: break
            buf+=d
            while True:
                while buf.startswith(b'\r\n'): 
                    log('pong' if not buf.startswith(b'\r\n\r\n') else 'ping'); buf=buf[4:] if buf.startswith(b'\r\n\r\n') else buf[2:]
                i=buf.find(b'\r\n\r\n')
                if i<0: break
                mm=re.search(rb'\r\n(?:Content-Length|l)\s*:\s*(\d+)',buf[:i+2],re.I); n=int(mm.group(1)) if mm else 0
                if len(buf)<i+4+n: break
                msg,buf=buf[:i+4+n],buf[i+4+n:]
                p.data(msg,addr,lambda x: asyncio.ensure_future(put(x)))
    finally: k.cancel(); log('tcp-close')
async def main():
    p=Peer(); loop=asyncio.get_running_loop()
    if A.tcp: s=await asyncio.start_server(lambda r,w:tcpconn(p,r,w),A.ip,A.port); A.port=s.sockets[0].getsockname()[1]
    else: tr,_=await loop.create_datagram_endpoint(lambda:U(p),local_addr=(A.ip,A.port)); A.port=tr.get_extra_info('sockname')[1]
    log('up',port=A.port); await asyncio.sleep(600)
asyncio.run(main())
