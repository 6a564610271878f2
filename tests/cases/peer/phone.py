"""phone.py SIP_PORT HTTP_PORT PHONE_PASSWORD decline|gone|ring|answer|quick-bye LOG SECS: phone of agent 8001 (login mei, console password Secret-pass-123), signs in, behaves."""
import socket,sys,time,threading,re,json,urllib.request,http.cookiejar
import os; sys.path.insert(0,os.path.dirname(os.path.abspath(__file__))); import sipkit as S
SP,HP,PW,MODE,LOGP=int(sys.argv[1]),int(sys.argv[2]),sys.argv[3],sys.argv[4],sys.argv[5]
L=open(LOGP,'w',buffering=1); T0=time.time()
def log(**k): L.write(json.dumps(dict(t=round(time.time()-T0,2),**k),ensure_ascii=False)+'\n')
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(('127.0.0.1',0)); port=s.getsockname()[1]; r=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); r.bind(('127.0.0.1',0)); rp=r.getsockname()[1]
to=('127.0.0.1',SP); cid=S.new_callid(); tag=S.new_tag()
def reg(n,auth=None):
    h=[('Via',f'SIP/2.0/UDP 127.0.0.1:{port};branch={S.new_branch()};rport'),('Max-Forwards','70'),('From',f'<sip:8001@paceline>;tag={tag}'),('To','<sip:8001@paceline>'),('Call-ID',cid),('CSeq',f'{n} REGISTER'),('Contact',f'<sip:8001@127.0.0.1:{port}>'),('Expires','300')]
    if auth: h.append(('Authorization',auth))
    s.sendto(S.build('REGISTER sip:paceline SIP/2.0',h),to)
reg(1)
def api(path,body,opener=[None]):
    if opener[0] is None: opener[0]=urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    q=urllib.request.Request(f'http://127.0.0.1:{HP}/api/v1{path}',data=json.dumps(body).encode() if body is not None else None,headers={'Content-Type':'application/json','Origin':f'http://127.0.0.1:{HP}'})
    try:
        x=opener[0].open(q,timeout=10); d=x.read().decode(); return x.status,d
    except urllib.error.HTTPError as e: return e.code,e.read().decode()
n_inv=0; ready=False
def signin():
    log(ev='sign-in',r=api('/sign-in',{'login':'mei','password':'Secret-pass-123'})[0]); log(ev='act',r=api('/me/actions',{'action':'sign_in','endpoint':'phone','holding':'per_call'})); 
def poll():
    while True:
        time.sleep(3); st,d=api('/me/seat',None); log(ev='seat',d=d[:300])
end=time.time()+float(sys.argv[6])
s.settimeout(.2)
while time.time()<end:
    try: d,a=s.recvfrom(65535)
    except socket.timeout: continue
    m=S.parse(d)
    if m.code and m.cseq()[1]=='REGISTER':
        if m.code==401: reg(2,S.authorize(m.get('www-authenticate'),'REGISTER','sip:paceline','8001',PW))
        elif m.code==200:
            log(ev='registered'); threading.Thread(target=lambda:(signin(),poll()),daemon=True).start()
        else: log(ev='reg',code=m.code)
        continue
    if m.method=='INVITE':
        n_inv+=1; log(ev='invite',frm=m.get('from'),n=n_inv)
        if MODE=='gone': continue
        s.sendto(S.response(m,100,src=a),a); s.sendto(S.response(m,180,to_tag=tag,src=a,contact=f'<sip:8001@127.0.0.1:{port}>'),a)
        if MODE=='decline': s.sendto(S.response(m,486,to_tag=tag,src=a),a)
        elif MODE=='ring': pass
        else:
            s.sendto(S.response(m,200,to_tag=tag,src=a,contact=f'<sip:8001@127.0.0.1:{port}>',body=S.sdp('127.0.0.1',rp)),a)
            if MODE=='quick-bye':
                def bye(m=m,a=a):
                    time.sleep(.7); log(ev='agent-bye')
                    u=re.search(r'<([^>]+)>',m.get('contact')).group(1)
                    s.sendto(S.build(f'BYE {u} SIP/2.0',[('Via',f'SIP/2.0/UDP 127.0.0.1:{port};branch={S.new_branch()};rport'),('Max-Forwards','70'),('From',(m.get('to'))+f';tag={tag}'),('To',m.get('from')),('Call-ID',m.get('call-id')),('CSeq','5 BYE')]),a)
                threading.Thread(target=bye,daemon=True).start()
    elif m.method=='ACK': log(ev='ack')
    elif m.method=='CANCEL': log(ev='cancel'); s.sendto(S.response(m,200,src=a,to_tag=tag),a)
    elif m.method: log(ev=m.method); s.sendto(S.response(m,200,src=a,to_tag=tag),a)
