// A login with a second factor in NestJS 11 or 12, on Express or Fastify. The routes under /second-factor take the code, set up factors,
// and log out.
import 'reflect-metadata'
import { Body, Controller, Get, HttpCode, HttpException, Inject, Module, Post, Req, Res } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import {
  CurrentPerson,
  type NestRequest,
  type Person,
  Public,
  SecondFactor,
  SecondFactorModule,
  SecondFactorService,
} from 'countersign/nestjs'
import { checkPassword, facts, mayRescue, secondFactor } from './host.js'

@Controller()
class AppController {
  constructor(@Inject(SecondFactorService) private readonly auth: SecondFactorService) {}

  // Every way in ends here: `login` says whether the user is in, and asks for the second factor where the rules want one.
  @Public()
  @Post('login')
  async login(@Req() req: NestRequest, @Res() res: unknown, @Body() body: Record<string, unknown>) {
    const user = checkPassword(body)
    if (user === undefined) throw new HttpException({ result: 'wrong_password' }, 401)
    await this.auth.login(req, res, { user, carry: body.carry === 'value' ? 'value' : 'cookie' })
  }

  @Get()
  home(@CurrentPerson() person: Person) {
    return { user: person.user }
  }

  // Ask again before this action: a second factor older than five minutes does not count.
  @SecondFactor({ maxAge: 300 })
  @HttpCode(200)
  @Post('transfer')
  transfer() {
    return { result: 'sent' }
  }
}

@Module({
  imports: [SecondFactorModule.forRoot({ secondFactor, facts, mayRescue, everyHandler: true })],
  controllers: [AppController],
})
class AppModule {}

const platform = process.env.PLATFORM === 'fastify' ? new FastifyAdapter() : new ExpressAdapter()
const app = await NestFactory.create(AppModule, platform, { logger: ['error'] })
await app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
console.log(`Listening on ${await app.getUrl()}`)
